import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';

export interface TestDatabase {
  /** mysql://<user>:<password>@127.0.0.1:<port>/<database>, a user that owns this database alone. */
  readonly url: string;
  /** Removes the database and its user. */
  readonly drop: () => Promise<void>;
}

export interface TestRedis {
  readonly url: string;
  /** For BullMQ's `prefix` and for keys of our own. */
  readonly prefix: string;
}

/** An empty database of its own for one test file. `rootUrl` is inject('mariadbRootUrl'). */
export async function createTestDatabase(rootUrl: string): Promise<TestDatabase> {
  const name = `kopeck_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const user = `'${name}'@'127.0.0.1'`;
  await runAll(rootUrl, [
    // A collation that forgives case and trailing spaces: a table that relies on the default, which
    // differs between MariaDB's versions, is found out.
    `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
    `CREATE USER ${user} IDENTIFIED BY '${password}'`,
    `GRANT ALL PRIVILEGES ON ${name}.* TO ${user}`,
  ]);

  const url = new URL(rootUrl);
  url.username = name;
  url.password = password;
  url.pathname = name;
  return {
    url: url.href,
    drop: () => runAll(rootUrl, [`DROP DATABASE IF EXISTS ${name}`, `DROP USER IF EXISTS ${user}`]),
  };
}

/** One Redis for all tests: a test keeps to a prefix of its own. `url` is inject('redisUrl'). */
export function createTestRedis(url: string): TestRedis {
  // The braces are a hash tag: in a cluster, all keys of a queue must live on one node.
  return { url, prefix: `{kopeck-${randomBytes(6).toString('hex')}}` };
}

async function runAll(url: string, statements: readonly string[]): Promise<void> {
  const connection = await mysql.createConnection(url);
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
