import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { sha256 } from '@kopeck/core/identity';

export const MIGRATIONS = join(import.meta.dirname, '..', 'migrations');

const TABLES = [
  `CREATE TABLE IF NOT EXISTS schema_migrations (
    name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    applied_at DATETIME(6) NOT NULL
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS schema_lock (id TINYINT NOT NULL PRIMARY KEY)
    ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
];

/**
 * Brings the database to the newest schema and returns the names of what it applied. Forward only.
 * Safe when two start at once: the lock is a row held in a transaction of a second connection, because
 * a CREATE commits whatever its own connection holds. Throws when an applied file has changed since.
 *
 * A CREATE cannot be rolled back, so a file that was interrupted is run again from its beginning: each
 * of its statements must do nothing the second time (IF NOT EXISTS, ON DUPLICATE KEY UPDATE id = id).
 */
export async function migrate(url: string, dir = MIGRATIONS): Promise<readonly string[]> {
  const options = { uri: url, timezone: 'Z', multipleStatements: true };
  const lock = await createConnection(options);
  const work = await createConnection(options);
  try {
    for (const session of [lock, work]) await session.query('SET innodb_lock_wait_timeout = 120');
    for (const table of TABLES) await work.query(table);
    await work.query('INSERT INTO schema_lock VALUES (1) ON DUPLICATE KEY UPDATE id = id');
    await lock.beginTransaction();
    await lock.query('SELECT id FROM schema_lock WHERE id = 1 FOR UPDATE');
    return await applyMissing(work, dir);
  } finally {
    await lock.end();
    await work.end();
  }
}

async function applyMissing(work: Connection, dir: string): Promise<readonly string[]> {
  const [rows] = await work.query<RowDataPacket[]>('SELECT name, checksum FROM schema_migrations');
  const applied = new Map(rows.map((row) => [String(row['name']), String(row['checksum'])]));
  const done: string[] = [];

  for (const name of readdirSync(dir)
    .filter((file) => file.endsWith('.sql'))
    .sort()) {
    const sql = readFileSync(join(dir, name), 'utf8');
    const checksum = sha256(sql);
    const before = applied.get(name);
    if (before === checksum) continue;
    if (before !== undefined) {
      throw new Error(
        `migration ${name} was applied before and has changed since: add a new file instead`,
      );
    }
    try {
      await work.query(sql);
    } catch (cause) {
      throw new Error(`migration ${name} failed`, { cause });
    }
    await work.query('INSERT INTO schema_migrations VALUES (?, ?, UTC_TIMESTAMP(6))', [
      name,
      checksum,
    ]);
    done.push(name);
  }
  return done;
}
