import { join } from 'node:path';
import type { ReceiverConfig } from '@kopeck/runtime/config';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';
import { epnNetwork, type EpnConfig } from '../epn/config.ts';
import { openStatsClient } from './client.ts';
import type { StatsConfig } from './config.ts';
import { writeListed, type Listed } from './listed.ts';
import { reconcile } from './reconcile.ts';
import { openTokenFile } from './token-file.ts';

type Deps = Pick<ReceiverDeps, 'append' | 'log' | 'now' | 'metrics' | 'incidents' | 'redis'>;

const HOUR_MS = 3_600_000;
/** The days looked back each time, and once a day. */
const USUAL_DAYS = 3;
const DAILY_DAYS = 45;

/** Asks at once, then every few hours; null where it is not configured. */
export function startReconciling(
  config: EpnConfig & StatsConfig & Pick<ReceiverConfig, 'JOURNAL_DIR' | 'REDIS_PREFIX'>,
  deps: Deps,
): { readonly stop: () => void } | null {
  const { EPN_STATS_CLIENT_ID, EPN_STATS_KEY } = config;
  const first = config.EPN_STATS_REFRESH_TOKEN ?? config.EPN_STATS_CLIENT_SECRET;
  if (!EPN_STATS_CLIENT_ID || !EPN_STATS_KEY || first === undefined) return null;

  const path = join(config.JOURNAL_DIR, 'epn-stats.token');
  const file = openTokenFile(path, EPN_STATS_KEY, first);
  const client = openStatsClient(config, file, deps.now);
  const network = epnNetwork(config);
  let isRunning = false;
  let lastDaily = 0;

  /** Not waited for: Redis may be away, and is asked again tomorrow. */
  function keep(listed: Listed): void {
    writeListed(deps.redis, config.REDIS_PREFIX, listed).catch((error: unknown) =>
      deps.log.warn('the list of the statistics could not be kept', { error }),
    );
  }

  async function look(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    const isDaily = deps.now().getTime() - lastDaily >= 24 * HOUR_MS;
    try {
      const days = isDaily ? DAILY_DAYS : USUAL_DAYS;
      const { counts, listed } = await reconcile({ ...deps, client, network }, days);
      if (isDaily) {
        lastDaily = deps.now().getTime();
        if (listed !== null) keep(listed);
      }
      deps.metrics.count('kopeck_epn_reconciled_total', {}, counts.accepted);
      deps.incidents.close('epn-statistics');
    } catch (error) {
      deps.log.warn('the statistics of EPN could not be compared', { error });
      deps.incidents.open('epn-statistics', {});
    } finally {
      isRunning = false;
    }
  }

  void look();
  const timer = setInterval(() => void look(), config.EPN_STATS_EVERY_HOURS * HOUR_MS);
  return { stop: () => clearInterval(timer) };
}
