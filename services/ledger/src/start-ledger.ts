import { openDatabase } from '@kopeck/runtime/database';
import { createApp } from '@kopeck/runtime/http-app';
import { listen, startMetricsServer } from '@kopeck/runtime/listen';
import type { Log } from '@kopeck/runtime/log';
import { createMetrics, type Metrics } from '@kopeck/runtime/metrics';
import { checkRedisSafety, openRedis } from '@kopeck/runtime/redis';
import { closeOnSignal, createClosing, type Closing } from '@kopeck/runtime/shutdown';
import type { Pool } from 'mysql2/promise';
import { ledgerRouter } from './api.ts';
import { createBatcher } from './batcher.ts';
import { bookOrBisect } from './book.ts';
import type { LedgerConfig } from './config.ts';
import { startDailyReports } from './daily-report.ts';
import { startDatabaseProbe } from './database-probe.ts';
import { inputsFor } from './inputs.ts';
import { startWatching } from './observations.ts';
import { watchUnexplained } from './unexplained.ts';
import { startWorkers } from './workers.ts';

export interface LedgerOptions {
  readonly config: LedgerConfig;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Ledger {
  readonly url: string;
  readonly metricsUrl: string;
  readonly close: () => Promise<void>;
}

/**
 * The ledger: workers on every queue, one batch writer, the read API. It starts and waits whatever is
 * away; only a Redis that forgets is refused (throws UnsafeRedisError).
 */
export async function startLedger({ config, log, now }: LedgerOptions): Promise<Ledger> {
  const closing = createClosing(log);
  const metrics = createMetrics('ledger');
  const { REDIS_PREFIX: prefix } = config;

  const redis = openRedis(config.REDIS_URL, log);
  closing.add('redis', () => redis.disconnect());
  if (!config.REDIS_UNSAFE) await checkRedisSafety(redis);
  const booking = openDatabase(config.DATABASE_URL, { connections: 2 });
  const reading = openDatabase(config.DATABASE_URL, { connections: 3, connectTimeoutMs: 1_000 });
  closing.add('database', () => Promise.all([booking.end(), reading.end()]));

  const probe = startDatabaseProbe({ url: config.DATABASE_URL, redis, prefix, log });
  closing.add('probe', probe.close);
  closing.add('unexplained', watchUnexplained({ pool: reading, metrics, log, now }));
  const daily = { pool: reading, hour: config.REPORT_HOUR, log, now };
  closing.add('daily reports', startDailyReports(daily));
  startWatching({ config, redis, pool: reading, log, now, closing });
  const stopping = new AbortController();
  const deps = { pool: booking, inputsFor: inputsFor.bind(null, config), now };
  const batcher = createBatcher({
    book: (events) => bookOrBisect(deps, events),
    log,
    signal: stopping.signal,
  });
  const closeWorkers = startWorkers({
    redis,
    prefix,
    lockMs: config.LEDGER_LOCK_MS,
    stalledMs: config.LEDGER_STALLED_MS,
    batcher,
    log,
    metrics,
    now,
  });
  closing.add('batcher', () => stopping.abort());
  closing.add('workers', closeWorkers);

  const isReady = () => ({ redis: redis.status === 'ready', database: probe.isUp() });
  const urls = await serve({ config, log, now, metrics, closing, pool: reading, isReady });
  closeOnSignal(closing, log);
  log.info('listening', { url: urls.url });
  return { ...urls, close: closing.run };
}

interface Served extends LedgerOptions {
  readonly metrics: Metrics;
  readonly closing: Closing;
  readonly pool: Pool;
  readonly isReady: () => Readonly<Record<string, boolean>>;
}

async function serve(served: Served): Promise<Pick<Ledger, 'url' | 'metricsUrl'>> {
  const { config, log, now, metrics, closing, pool, isReady } = served;
  const host = config.HOST;
  const internal = await startMetricsServer({
    log,
    metrics,
    port: config.LEDGER_METRICS_PORT,
    host,
    ready: async () => ({ checks: isReady(), warnings: [] }),
  });
  closing.add('metrics', internal.close);
  const api = {
    pool,
    tokens: config.LEDGER_API_TOKEN,
    userTokens: config.LEDGER_USER_API_TOKEN,
    now,
  };
  const app = createApp({ log, trustProxy: config.TRUST_PROXY, router: ledgerRouter(api) });
  const server = await listen(app, config.LEDGER_PORT, host);
  closing.add('http', server.close);
  return { url: server.url, metricsUrl: internal.url };
}
