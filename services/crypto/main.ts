import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { runMain } from '@kopeck/runtime/run-main';
import { cryptoConfig, secretsOf } from './src/config.ts';
import { startCrypto } from './src/start-crypto.ts';

runMain(async () => {
  const config = loadConfig(cryptoConfig, process.env);
  const log = createLog({ service: 'crypto', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  await startCrypto(config, log);
});
