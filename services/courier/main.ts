import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { runMain } from '@kopeck/runtime/run-main';
import { closeOnSignal, createClosing } from '@kopeck/runtime/shutdown';
import { courierConfig, secretsOf } from './src/config.ts';
import { startCourier } from './src/start-courier.ts';

runMain(async () => {
  const config = loadConfig(courierConfig, process.env);
  const log = createLog({
    service: 'courier',
    level: config.LOG_LEVEL,
    secrets: secretsOf(config),
  });
  const closing = createClosing(log);
  closeOnSignal(closing, log);
  const courier = await startCourier({ config, log, now: () => new Date() });
  closing.add('courier', courier.close);
});
