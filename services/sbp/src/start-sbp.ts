import { openDatabase } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import { startReceiver, type Receiver } from '@kopeck/runtime/receiver';
import { openAttempts } from './attempts.ts';
import { carryOutRefund } from './carry-out-refund.ts';
import { warningsOf, type SbpConfig } from './config.ts';
import { look } from './look.ts';
import { createLooker } from './looker.ts';
import { openLooks } from './looks.ts';
import { openProviders } from './providers.ts';
import { openRefunds } from './refunds.ts';
import { sbpRoutes } from './routes.ts';
import { createSql } from './sql.ts';

const CONNECTIONS = 10;

export function startSbp(config: SbpConfig, log: Log): Promise<Receiver> {
  const pool = openDatabase(config.DATABASE_URL, { connections: CONNECTIONS });
  const sql = createSql(pool);
  const stores = { attempts: openAttempts(sql), looks: openLooks(sql), refunds: openRefunds(sql) };

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
    routes: (receiver) => {
      receiver.closing.add('database', () => pool.end());
      const extraCa = config.SBP_EXTRA_CA;
      const deps = {
        ...receiver,
        ...stores,
        providers: openProviders(config, { ...receiver, extraCa }),
      };
      const looker = createLooker({ ...deps, look: (order) => look(order, deps) });
      const refunder = createLooker({
        ...deps,
        looks: stores.refunds,
        look: (refund) => carryOutRefund(refund, deps),
      });
      for (const loop of [looker, refunder]) {
        receiver.closing.add('looker', loop.close);
        loop.start();
      }
      return sbpRoutes({ ...deps, config, wake: looker.wake });
    },
  });
}
