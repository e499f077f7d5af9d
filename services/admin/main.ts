import { loadConfig } from '@kopeck/runtime/config';
import { createLog } from '@kopeck/runtime/log';
import { runMain } from '@kopeck/runtime/run-main';
import { adminConfig, secretsOf } from './src/config.ts';
import { startAdmin } from './src/start-admin.ts';

runMain(async () => {
  const config = loadConfig(adminConfig, process.env);
  const log = createLog({ service: 'admin', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  let keys = config.ADMIN_API_KEY;
  // A key is replaced without a restart: write the file of ADMIN_API_KEY_FILE anew, then SIGHUP.
  process.on('SIGHUP', () => {
    try {
      keys = loadConfig(adminConfig, process.env).ADMIN_API_KEY;
      log.info('the keys of the admin API were read anew', { keys: keys.length });
    } catch (error) {
      log.error('the keys of the admin API stay as they were', { error });
    }
  });
  await startAdmin(config, log, { apiKeys: () => keys });
});
