import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { noLog } from '@kopeck/runtime/log';
import { openRedis } from '@kopeck/runtime/redis';
import { Advice, type Context } from './command.ts';

export interface RedisConnection {
  readonly redis: Redis;
  readonly prefix: string;
}

const WITHIN_MS = 10_000;

/** A person waits at the keyboard: Advice when Redis does not answer in time, where a service would wait. */
export async function withRedis<T>(
  { find, value }: Pick<Context, 'find' | 'value'>,
  work: (connection: RedisConnection) => Promise<T>,
): Promise<T> {
  const redis = openRedis(value('REDIS_URL'), noLog);
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(WITHIN_MS) }).catch(() => {
      throw new Advice('Redis does not answer: see `kopeck doctor`.');
    });
    return await work({ redis, prefix: find('REDIS_PREFIX') ?? '{kopeck}' });
  } finally {
    redis.disconnect();
  }
}
