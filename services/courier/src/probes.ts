import type { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import type { Probe } from './watch.ts';

/** A server that takes connections and answers nothing is away, too. */
const ANSWER_WITHIN_MS = 2_000;

export interface DatabaseProbe {
  readonly probe: Probe;
  readonly close: () => void;
}

/** A connection of its own, kept while it works: a pool that is busy must not look like an outage. */
export function createDatabaseProbe(url: string): DatabaseProbe {
  let connection: Connection | undefined;

  async function ask(): Promise<void> {
    connection ??= await connect(url);
    await connection.query({ sql: 'SELECT 1', timeout: ANSWER_WITHIN_MS });
  }

  const drop = (): void => {
    connection?.destroy();
    connection = undefined;
  };

  return {
    close: drop,
    probe: async () => {
      try {
        await ask();
      } catch (error) {
        drop();
        throw error;
      }
    },
  };
}

async function connect(url: string): Promise<Connection> {
  const connection = await createConnection({ uri: url, connectTimeout: ANSWER_WITHIN_MS });
  connection.on('error', () => undefined); // the next question finds out
  return connection;
}

/** For a connection that fails at once while Redis is away (openImpatientRedis). */
export function createRedisProbe(impatient: Redis): Probe {
  return async () => {
    await impatient.ping();
  };
}
