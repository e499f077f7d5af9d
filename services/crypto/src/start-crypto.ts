import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Log } from '@kopeck/runtime/log';
import { startReceiver, type Receiver, type ReceiverDeps } from '@kopeck/runtime/receiver';
import { openImpatientRedis } from '@kopeck/runtime/redis';
import { withDeadline } from '@kopeck/runtime/shutdown';
import { openTickets } from './balance/tickets.ts';
import { warningsOf, type CryptoConfig } from './config.ts';
import { payAppsOf } from './cryptobot/client.ts';
import { openForwardQueue } from './forward/forward-queue.ts';
import { startForwarding } from './forward/forwarding.ts';
import { openSpool, type Spool } from './forward/spool.ts';
import { openOrders } from './open-orders.ts';
import { closeIfPaid, openOrderBook } from './order-book.ts';
import { reconcile, type ReconcileDeps, type Reconciled } from './reconcile/reconcile.ts';
import { regularly, type Regularly } from './reconcile/regularly.ts';
import { openHeard } from './reconcile/heard.ts';
import { cryptoRoutes, type CryptoDeps } from './routes.ts';
import { botApiOf } from './telegram/client.ts';

/** Within which an open order must be found: the payer waits, and Telegram for ten seconds at most. */
const FIND_WITHIN_MS = 300;
/** Everything else of Redis that somebody waits for, but no payer. */
const ANSWER_WITHIN_MS = 3_000;
/** For how long the start waits for connections, so that the first request finds them. */
const CONNECT_WITHIN_MS = 1_000;

export function startCrypto(config: CryptoConfig, log: Log): Promise<Receiver> {
  return startReceiver({
    name: 'crypto',
    queue: 'events-crypto',
    config,
    port: config.CRYPTO_PORT,
    metricsPort: config.CRYPTO_METRICS_PORT,
    log,
    warnings: warningsOf(config),
    routes: async (deps) => {
      const hurried = openImpatientRedis(config.REDIS_URL, log, FIND_WITHIN_MS);
      deps.closing.add('open orders', () => hurried.disconnect());
      const redis = openImpatientRedis(config.REDIS_URL, log, ANSWER_WITHIN_MS);
      deps.closing.add('orders', () => redis.disconnect());
      if (deps.redis.status === 'ready') {
        await withDeadline(Promise.all([connected(hurried), connected(redis)]), CONNECT_WITHIN_MS);
      }
      const book = openOrderBook(redis, config.REDIS_PREFIX);
      const heard = openHeard(redis, config.REDIS_PREFIX, config.RECONCILE_DAYS);
      const reconciling = startReconciling(config, { redis, book, heard }, deps);
      return cryptoRoutes({
        ...deps,
        config,
        findOpenOrder: openOrders(hurried, config.REDIS_PREFIX),
        book,
        heard,
        reconcileNow: reconciling.run,
        tickets: openTickets(redis, config.REDIS_PREFIX),
        spool: await startForwardingOf(config, deps),
      });
    },
  });
}

function connected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => redis.once('ready', () => resolve()));
}

/** Its commands fail while Redis is away: the next run catches up. */
function startReconciling(
  config: CryptoConfig,
  { redis, book, heard }: { readonly redis: Redis } & Pick<CryptoDeps, 'book' | 'heard'>,
  { append, log, metrics, incidents, now, closing }: ReceiverDeps,
): Regularly<readonly Reconciled[]> {
  const deps: ReconcileDeps = {
    apps: payAppsOf(config),
    bot: botApiOf(config),
    heard,
    async append(event) {
      const result = await append(event);
      closeIfPaid(event, book, log);
      return result;
    },
    redis,
    prefix: config.REDIS_PREFIX,
    days: config.RECONCILE_DAYS,
    log,
    metrics,
    incidents,
    now,
  };
  const reconciling = regularly(
    (isAsked) => reconcile(deps, isAsked),
    config.RECONCILE_MINUTES * 60_000,
    log,
  );
  closing.add('reconciling', reconciling.stop);
  return reconciling;
}

/** On disk first, then in Redis, from where all copies of us forward in the order of each chat. */
async function startForwardingOf(
  config: CryptoConfig,
  { redis, log, metrics, now, closing }: ReceiverDeps,
): Promise<Spool | null> {
  const { TELEGRAM_FORWARD_URL: url, TELEGRAM_FORWARD_SECRET: secret } = config;
  if (url === undefined) return null;
  const queue = openForwardQueue(redis, config.REDIS_PREFIX);
  const api = botApiOf(config);
  const forwarding = startForwarding({ url, secret, queue, api, log, metrics, now });
  closing.add('forwarding', forwarding.stop);
  const dir = join(config.JOURNAL_DIR, 'forward');
  const spool = await openSpool({ dir, redis, queue, log, now });
  closing.add('updates for the bot', spool.stop);
  return spool;
}
