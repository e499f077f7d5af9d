import type { Redis } from 'ioredis';
import type { ImpatientDatabase } from '@kopeck/runtime/impatient-database';
import type { Probe } from './watch.ts';

export function createDatabaseProbe(database: ImpatientDatabase): Probe {
  return async () => {
    await database.ask('SELECT 1');
  };
}

/** For a connection that fails at once while Redis is away (openImpatientRedis). */
export function createRedisProbe(impatient: Redis): Probe {
  return async () => {
    await impatient.ping();
  };
}
