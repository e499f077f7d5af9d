import type { Log } from '@kopeck/runtime/log';
import { startReceiver, type Receiver } from '@kopeck/runtime/receiver';
import { openImpatientRedis } from '@kopeck/runtime/redis';
import { warningsOf, type CryptoConfig } from './config.ts';
import { openOrders } from './open-orders.ts';
import { openOrderBook } from './order-book.ts';
import { cryptoRoutes } from './routes.ts';

/** Within which an open order must be found: the payer waits, and Telegram for ten seconds at most. */
const FIND_WITHIN_MS = 300;

export function startCrypto(config: CryptoConfig, log: Log): Promise<Receiver> {
  return startReceiver({
    name: 'crypto',
    queue: 'events-crypto',
    config,
    port: config.CRYPTO_PORT,
    metricsPort: config.CRYPTO_METRICS_PORT,
    log,
    warnings: warningsOf(config),
    routes: (deps) => {
      const redis = openImpatientRedis(config.REDIS_URL, log, FIND_WITHIN_MS);
      deps.closing.add('open orders', () => redis.disconnect());
      return cryptoRoutes({
        ...deps,
        config,
        findOpenOrder: openOrders(redis, config.REDIS_PREFIX),
        book: openOrderBook(redis, config.REDIS_PREFIX),
      });
    },
  });
}
