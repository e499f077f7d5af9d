import type { Router } from 'express';
import type { Redis } from 'ioredis';
import { QUEUES, type QueueName } from '@kopeck/core/event';
import type { Append } from '@kopeck/core/receive';
import type { ReceiverConfig } from './config.ts';
import { createForgeries } from './forgeries.ts';
import { createApp } from './http-app.ts';
import type { Incidents } from './incidents.ts';
import type { Journal } from './journal.ts';
import { listen, startMetricsServer, type ReadyReport } from './listen.ts';
import type { Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { checkRedisSafety, openRedis } from './redis.ts';
import { startReceiverJournal } from './receiver-journal.ts';
import { closeOnSignal, createClosing, withDeadline, type Closing } from './shutdown.ts';

/** What the routes of a receiver are made from. */
export interface ReceiverDeps {
  readonly append: Append;
  readonly journal: Pick<Journal, 'writable'>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Waits while Redis is away: never for a request's answer (see openImpatientRedis). */
  readonly redis: Redis;
  readonly incidents: Incidents;
  /** To be told of each delivery that proved nothing. */
  readonly forged: (source: string) => void;
  readonly now: () => Date;
  /** Whatever the routes open, closed in reverse order when the service stops. */
  readonly closing: Closing;
}

export interface ReceiverOptions {
  readonly name: 'sbp' | 'crypto' | 'epn' | 'admin';
  readonly queue: QueueName;
  readonly config: ReceiverConfig;
  readonly port: number;
  readonly metricsPort: number;
  readonly log: Log;
  /** Its journal has a thread of its own: for what takes thousands of requests a second, and 12 MB. */
  readonly journalThread?: boolean;
  readonly routes: (deps: ReceiverDeps) => Router | Promise<Router>;
  /** More that must be true before the service can do its work: { database: true }. */
  readonly ready?: () => Promise<Readonly<Record<string, boolean>>>;
  /** What is not configured and therefore refused: said at boot and in /ready. */
  readonly warnings?: readonly string[];
}

export interface Receiver {
  readonly url: string;
  readonly metricsUrl: string;
  readonly close: () => Promise<void>;
}

const REDIS_AT_BOOT_MS = 2_000;
const FORGERIES_MS = 10_000;
const MINUTE_MS = 60_000;

/**
 * The whole life of a receiver: journal, forwarder, metrics, HTTP; SIGTERM closes them in reverse. It
 * starts without Redis too, and journals. Throws UnsafeRedisError, JournalUnavailable, or when a port
 * is taken.
 */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { config, log, name } = options;
  const closing = createClosing(log);
  const now = (): Date => new Date();
  const metrics = createMetrics(name);
  const redis = openRedis(config.REDIS_URL, log);
  closing.add('redis', () => redis.disconnect());

  try {
    await refuseUnsafeRedis(redis, config);
    for (const warning of options.warnings ?? []) log.warn(warning);
    const intake = await startReceiverJournal(options, { redis, metrics, closing, now });
    const { append, journal, incidents } = intake;
    const router = await options.routes({
      append,
      journal,
      log,
      metrics,
      redis,
      incidents,
      forged: startForgeries(options, { incidents, now, closing }),
      now,
      closing,
    });

    const ready = async (): Promise<ReadyReport> => ({
      checks: {
        journal: await journal.writable(),
        redis: intake.connected(),
        ...(await options.ready?.()),
      },
      warnings: options.warnings ?? [],
    });
    const host = config.HOST;
    const internal = await startMetricsServer({
      log,
      metrics,
      port: options.metricsPort,
      host,
      ready,
    });
    closing.add('metrics', internal.close);
    const app = createApp({ log, trustProxy: config.TRUST_PROXY, router });
    const server = await listen(app, options.port, host);
    closing.add('http', server.close);

    closeOnSignal(closing, log);
    log.info('listening', { url: server.url });
    return { url: server.url, metricsUrl: internal.url, close: closing.run };
  } catch (error) {
    await closing.run();
    throw error;
  }
}

function startForgeries(
  { queue, config }: ReceiverOptions,
  { incidents, now, closing }: Pick<ReceiverDeps, 'incidents' | 'now' | 'closing'>,
): ReceiverDeps['forged'] {
  const forgeries = createForgeries({
    sources: QUEUES[queue],
    perMinute: config.FORGED_PER_MINUTE,
    quietMs: config.FORGED_QUIET_MINUTES * MINUTE_MS,
    incidents,
    now,
  });
  const looking = setInterval(forgeries.look, FORGERIES_MS);
  closing.add('forgeries', () => clearInterval(looking));
  return forgeries.saw;
}

/** Only a Redis that answers can be judged; one that is away is judged by the forwarder, later. */
async function refuseUnsafeRedis(redis: Redis, { REDIS_UNSAFE }: ReceiverConfig): Promise<void> {
  if (REDIS_UNSAFE) return;
  const ready =
    redis.status === 'ready'
      ? Promise.resolve()
      : new Promise<void>((resolve) => redis.once('ready', resolve));
  await withDeadline(ready, REDIS_AT_BOOT_MS);
  if (redis.status === 'ready') await checkRedisSafety(redis);
}
