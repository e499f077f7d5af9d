import { openDatabase } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import { startReceiver, type Receiver } from '@kopeck/runtime/receiver';
import type { AdminConfig } from './config.ts';
import { warningsOf } from './config.ts';
import { DEADLINES, type Deadlines } from './fetch-all.ts';
import { openPanels } from './panels/open-panels.ts';
import { adminRoutes } from './routes.ts';

export async function startAdmin(
  config: AdminConfig,
  log: Log,
  deadlines: Deadlines = DEADLINES,
): Promise<Receiver> {
  const pool = openDatabase(config.DATABASE_URL);
  return startReceiver({
    name: 'admin',
    queue: 'events-admin',
    config,
    port: config.ADMIN_PORT,
    metricsPort: config.ADMIN_METRICS_PORT,
    log,
    warnings: warningsOf(config),
    ready: async () => ({ database: await isAnswering(() => pool.query('SELECT 1')) }),
    routes: (deps) => {
      deps.closing.add('database', () => pool.end());
      return adminRoutes({
        ...deps,
        pool,
        deadlines,
        panels: openPanels(config.PANELS, deps.now),
        apiKeys: config.ADMIN_API_KEY,
        receiverHealthUrls: config.RECEIVER_HEALTH_URLS.split(',').filter(Boolean),
      });
    },
  });
}

async function isAnswering(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    return false;
  }
}
