import type { Redis } from 'ioredis';
import type { Pool } from 'mysql2/promise';
import type { Log } from '@kopeck/runtime/log';

export interface DatabaseProbe {
  readonly isUp: () => boolean;
  readonly close: () => void;
}

export interface ProbeOptions {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly prefix: string;
  readonly log: Log;
}

const EVERY_MS = 1_000;
const WITHIN_MS = 1_000;
const FLAG_LIVES_MS = 15_000;

/**
 * Looks once a second whether MariaDB answers, and keeps `<prefix>:ledger:down` in Redis while it does
 * not. The flag expires by itself: if this process dies, receivers believe the database to be up.
 */
export function startDatabaseProbe({ pool, redis, prefix, log }: ProbeOptions): DatabaseProbe {
  const key = `${prefix}:ledger:down`;
  let isUp = false;
  let isFirst = true;
  let isProbing = false;

  async function probe(): Promise<void> {
    if (isProbing) return;
    isProbing = true;
    const wasUp = isUp;
    isUp = await answers(pool);
    if (isUp !== wasUp || isFirst) log.info(isUp ? 'the database answers' : 'the database is away');
    if (redis.status === 'ready') await tell(wasUp);
    isProbing = false;
  }

  async function tell(wasUp: boolean): Promise<void> {
    try {
      if (!isUp) await redis.set(key, '1', 'PX', FLAG_LIVES_MS);
      else if (!wasUp || isFirst) await redis.del(key);
      isFirst = false;
    } catch (error) {
      log.debug('the state of the database could not be told', { error });
    }
  }

  void probe();
  const timer = setInterval(() => void probe(), EVERY_MS);
  return { isUp: () => isUp, close: () => clearInterval(timer) };
}

async function answers(pool: Pool): Promise<boolean> {
  try {
    await pool.query({ sql: 'SELECT 1', timeout: WITHIN_MS });
    return true;
  } catch {
    return false;
  }
}
