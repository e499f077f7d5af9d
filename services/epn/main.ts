import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { runMain } from '@kopeck/runtime/run-main';
import { epnServiceConfig, secretsOf } from './src/config.ts';
import { startEpn } from './src/start-epn.ts';

runMain(async () => {
  const config = loadConfig(epnServiceConfig, process.env);
  const log = createLog({ service: 'epn', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  await startEpn(config, log);
});
