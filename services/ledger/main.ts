import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { runMain } from '@kopeck/runtime/run-main';
import { ledgerConfig, secretsOf } from './src/config.ts';
import { startLedger } from './src/start-ledger.ts';

runMain(async () => {
  const config = loadConfig(ledgerConfig, process.env);
  const log = createLog({ service: 'ledger', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  await startLedger({ config, log, now: () => new Date() });
});
