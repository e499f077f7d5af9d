import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';

export interface ImpatientDatabase {
  /** The rows, or an error within the time; questions are asked one after the other. */
  readonly ask: (sql: string) => Promise<readonly RowDataPacket[]>;
  readonly close: () => void;
}

/**
 * A connection of its own, kept while it works: for asking whether MariaDB is there at all. The driver
 * keeps a connection whose statement timed out, and whatever comes next waits behind that statement for
 * ever, so a pool would look dead to its asker, too; here such a connection is dropped.
 */
export function openImpatientDatabase(url: string, withinMs: number): ImpatientDatabase {
  let connection: Connection | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const drop = (): void => {
    connection?.destroy();
    connection = undefined;
  };

  async function askNow(sql: string): Promise<readonly RowDataPacket[]> {
    try {
      connection ??= await connect(url, withinMs);
      const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout: withinMs });
      return rows;
    } catch (error) {
      drop();
      throw error;
    }
  }

  return {
    close: drop,
    ask: (sql) => {
      const answer = last.then(() => askNow(sql));
      last = answer.catch(() => undefined);
      return answer;
    },
  };
}

/** With the settings of every other connection: big numbers as text, times in UTC. */
async function connect(url: string, withinMs: number): Promise<Connection> {
  const connection = await createConnection({
    uri: url,
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
    connectTimeout: withinMs,
  });
  connection.on('error', () => undefined); // the next question finds out
  return connection;
}
