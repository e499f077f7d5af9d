import { openDatabase } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import { startReceiver, type Receiver } from '@kopeck/runtime/receiver';
import type { AdminConfig } from './config.ts';
import { warningsOf } from './config.ts';
import { DEADLINES, type Deadlines } from './fetch-all.ts';
import { openPanels } from './panels/open-panels.ts';
import { openLanes } from './bulk/lanes.ts';
import type { ApiKeys } from './authorise.ts';
import { adminRoutes } from './routes.ts';

/** Of the queues behind a bulk. */
const TIMING = { backoffMs: 2_000, lockMs: 30_000, stalledMs: 10_000 };

export interface Overrides {
  readonly deadlines?: Deadlines;
  readonly timing?: typeof TIMING;
  /** Of today: keys may be replaced while the service runs. */
  readonly apiKeys?: ApiKeys;
}

export async function startAdmin(
  config: AdminConfig,
  log: Log,
  { deadlines = DEADLINES, timing = TIMING, apiKeys = () => config.ADMIN_API_KEY }: Overrides = {},
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
      const panels = openPanels(config.PANELS, deps.now);
      const performing = { ...deps, pool, deadlines, panels };
      const lanes = openLanes({ deps: performing, prefix: config.REDIS_PREFIX, ...timing });
      return adminRoutes({
        ...performing,
        lanes,
        apiKeys,
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
