import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { runMain } from '@kopeck/runtime/run-main';
import { sbpConfig, secretsOf } from './src/config.ts';
import { startSbp } from './src/start-sbp.ts';

runMain(async () => {
  const config = loadConfig(sbpConfig, process.env);
  const log = createLog({ service: 'sbp', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  await startSbp(config, log);
});
