import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { runMain } from '@kopeck/runtime/run-main';
import { adminConfig, secretsOf } from './src/config.ts';
import { startAdmin } from './src/start-admin.ts';

runMain(async () => {
  const config = loadConfig(adminConfig, process.env);
  const log = createLog({ service: 'admin', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  await startAdmin(config, log);
});
