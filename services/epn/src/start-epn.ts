import type { Log } from '@kopeck/runtime/log';
import { startReceiver, type Receiver } from '@kopeck/runtime/receiver';
import { openImpatientRedis } from '@kopeck/runtime/redis';
import { warningsOf, type EpnServiceConfig } from './config.ts';
import { ledgerDownKey, watchLedger } from './ledger-watch.ts';
import { loadNetworks } from './load-networks.ts';
import { epnRoutes } from './routes.ts';
import { startReconciling } from './stats/start-reconciling.ts';

/** Shorter than the pause between two looks. */
const LOOK_WITHIN_MS = 800;

/** Throws ConfigError where a mapping of a network is wrong. */
export async function startEpn(config: EpnServiceConfig, log: Log): Promise<Receiver> {
  const networks = loadNetworks(config);
  return startReceiver({
    name: 'epn',
    queue: 'events-epn',
    journalThread: true,
    config,
    port: config.EPN_PORT,
    metricsPort: config.EPN_METRICS_PORT,
    log,
    warnings: warningsOf(config, networks),
    routes: (deps) => {
      const redis = openImpatientRedis(config.REDIS_URL, log, LOOK_WITHIN_MS);
      deps.closing.add('ledger watch redis', () => redis.disconnect());
      const ledger = watchLedger(redis, ledgerDownKey(config.REDIS_PREFIX));
      deps.closing.add('ledger watch', ledger.stop);
      const reconciling = startReconciling(config, deps);
      if (reconciling !== null) deps.closing.add('reconciling', reconciling.stop);
      return epnRoutes({ ...deps, config, networks, ledger });
    },
  });
}
