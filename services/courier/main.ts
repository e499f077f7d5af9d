import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { courierConfig } from './src/config.ts';
import { startCourier } from './src/start-courier.ts';

const config = loadConfig(courierConfig, process.env);
const secrets = [config.DATABASE_URL, config.REDIS_URL, config.SMTP_URL ?? ''];
const log = createLog({ service: 'courier', level: config.LOG_LEVEL, secrets });
await startCourier({ config, log, now: () => new Date() });
