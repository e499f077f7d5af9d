import { openDatabase } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import { startReceiver, type Receiver } from '@kopeck/runtime/receiver';
import { warningsOf, type SbpConfig } from './config.ts';
import { openAttempts } from './attempts.ts';
import { look } from './look.ts';
import { createLooker } from './looker.ts';
import { openLooks } from './looks.ts';
import { openProviders } from './providers.ts';
import { sbpRoutes } from './routes.ts';
import { createSql } from './sql.ts';

const CONNECTIONS = 10;

export function startSbp(config: SbpConfig, log: Log): Promise<Receiver> {
  const pool = openDatabase(config.DATABASE_URL, { connections: CONNECTIONS });
  const sql = createSql(pool);
  const attempts = openAttempts(sql);
  const looks = openLooks(sql);
  const providers = openProviders(config);

  return startReceiver({
    name: 'sbp',
    queue: 'events-sbp',
    config,
    port: config.SBP_PORT,
    metricsPort: config.SBP_METRICS_PORT,
    log,
    warnings: warningsOf(config),
    ready: async () => ({
      database: await sql.run('DO 1', []).then(
        () => true,
        () => false,
      ),
    }),
    routes: (deps) => {
      deps.closing.add('database', () => pool.end());
      const lookDeps = { ...deps, attempts, looks, providers };
      const looker = createLooker({ ...deps, looks, look: (order) => look(order, lookDeps) });
      deps.closing.add('looker', looker.close);
      looker.start();
      return sbpRoutes({ ...lookDeps, config, wake: looker.wake });
    },
  });
}
