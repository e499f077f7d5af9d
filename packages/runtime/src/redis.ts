import { Redis, ReplyError } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { Log } from './log.ts';

/** Redis may forget what it acknowledged: every promise of the queue would be void. */
export class UnsafeRedisError extends Error {
  override name = 'UnsafeRedisError' as const;
}

/** The mapping of replies is part of the client's type and stays as it is. */
type Options = Omit<RedisOptions, 'replyMapping'>;

const RECONNECT_AFTER_MS = 500;
/** A host that vanished closes no connection. BullMQ's workers wait up to 10 s for an answer. */
const SILENT_MS = 30_000;

/**
 * For BullMQ: commands wait for a lost connection (maxRetriesPerRequest null), so whoever uses it must
 * be able to wait. Connection errors are logged once per outage.
 */
export function openRedis(url: string, log: Log, options: Options = {}): Redis {
  const all: Options = Object.assign(
    {
      maxRetriesPerRequest: null,
      retryStrategy: () => RECONNECT_AFTER_MS,
      connectTimeout: 5_000,
      socketTimeout: SILENT_MS,
    },
    options,
  );
  const redis = new Redis(url, all);
  let isDown = false;
  redis.on('error', (error: Error) => {
    if (!isDown) log.warn('redis is away', { error });
    isDown = true;
  });
  redis.on('ready', () => {
    if (isDown) log.info('redis is back');
    isDown = false;
  });
  return redis;
}

/** For look-ups on a request's path: fails at once instead of waiting for a lost connection. */
export function openImpatientRedis(url: string, log: Log, timeoutMs: number): Redis {
  return openRedis(url, log, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
  });
}

/**
 * Throws UnsafeRedisError unless Redis keeps every acknowledged write (AOF, fsynced each time) and
 * evicts nothing. An answer that cannot be had (CONFIG forbidden) is a refusal too.
 */
export async function checkRedisSafety(redis: Redis): Promise<void> {
  const wanted = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' };
  const wrong: string[] = [];
  for (const [key, value] of Object.entries(wanted)) {
    const actual = await settingOf(redis, key);
    if (actual !== value) wrong.push(`${key} is '${actual}' and must be '${value}'`);
  }
  if (wrong.length > 0) {
    throw new UnsafeRedisError(
      `Redis may lose acknowledged events: ${wrong.join('; ')}. Set it so, or REDIS_UNSAFE=1 to run all the same.`,
    );
  }
}

async function settingOf(redis: Redis, key: string): Promise<string> {
  try {
    const [, value] = await redis.config('GET', key);
    return value ?? 'unknown';
  } catch (error) {
    // Only Redis itself forbids; a connection that was lost says nothing about its settings.
    if (error instanceof ReplyError) return 'not to be had (allow +config|get)';
    throw error;
  }
}
