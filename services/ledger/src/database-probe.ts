import type { Redis } from 'ioredis';
import type { ImpatientDatabase } from '@kopeck/runtime/impatient-database';
import { openImpatientDatabase } from '@kopeck/runtime/impatient-database';
import type { Log } from '@kopeck/runtime/log';

export interface DatabaseProbe {
  readonly isUp: () => boolean;
  readonly close: () => void;
}

export interface ProbeOptions {
  readonly url: string;
  readonly redis: Redis;
  readonly prefix: string;
  readonly log: Log;
}

const EVERY_MS = 1_000;
/** A slow machine is not away. */
const WITHIN_MS = 2_000;
const FLAG_LIVES_MS = 15_000;

/**
 * Looks once a second whether MariaDB answers, and keeps `<prefix>:ledger:down` in Redis while it does
 * not. The flag expires by itself: if this process dies, receivers believe the database to be up.
 */
export function startDatabaseProbe({ url, redis, prefix, log }: ProbeOptions): DatabaseProbe {
  const key = `${prefix}:ledger:down`;
  const database = openImpatientDatabase(url, WITHIN_MS);
  let isUp = false;
  let isFirst = true;
  let isProbing = false;

  async function probe(): Promise<void> {
    if (isProbing) return;
    isProbing = true;
    const wasUp = isUp;
    isUp = await answers(database);
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
  return {
    isUp: () => isUp,
    close: () => {
      clearInterval(timer);
      database.close();
    },
  };
}

async function answers(database: ImpatientDatabase): Promise<boolean> {
  try {
    await database.ask('SELECT 1');
    return true;
  } catch {
    return false;
  }
}
