import { loadConfig } from '@kopeck/runtime/config';
import { openDatabase } from '@kopeck/runtime/database';
import { noLog } from '@kopeck/runtime/log';
import { adminConfig } from '../../src/config.ts';
import { openPanels } from '../../src/panels/open-panels.ts';
import { performRefresh } from '../../src/perform-refresh.ts';
import { SHORT } from '../timing.ts';

// Refreshes the purchase of its argument for real, but for one thing: when the links are kept, and
// before the journal has the event, the process kills itself.

const config = loadConfig(adminConfig, process.env);
const now = (): Date => new Date();
const [, , purchaseId = '', operationId = ''] = process.argv;
await performRefresh(
  {
    pool: openDatabase(config.DATABASE_URL),
    panels: openPanels(config.PANELS, now),
    deadlines: SHORT,
    now,
    log: noLog,
    told: new Set(),
    append: async () => {
      process.kill(process.pid, 'SIGKILL');
      return 'accepted';
    },
  },
  { purchaseId, operationId },
);
