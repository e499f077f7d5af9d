import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate, MIGRATIONS } from '@kopeck/runtime/migrate';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';

const FILES = readdirSync(MIGRATIONS).toSorted();

let dir: string;
let opened: { database: TestDatabase; pool: Pool }[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kopeck-migrate-'));
  opened = [];
});
afterEach(async () => {
  rmSync(dir, { recursive: true });
  for (const { database, pool } of opened) {
    await pool.end();
    await database.drop();
  }
});

async function emptyDatabase(): Promise<{ url: string; pool: Pool }> {
  const database = await createTestDatabase(inject('mariadbRootUrl'));
  const pool = openDatabase(database.url);
  opened.push({ database, pool });
  return { url: database.url, pool };
}

/** Every table and trigger as the server describes it, and the rows that a migration inserts. */
async function schemaOf(pool: Pool): Promise<readonly unknown[]> {
  const described: unknown[] = [];
  for (const table of await firstColumn(pool, 'SHOW TABLES')) {
    const [rows] = await pool.query<RowDataPacket[]>(`SHOW CREATE TABLE \`${table}\``);
    described.push(rows[0]?.['Create Table']);
  }
  const [triggers] = await pool.query<RowDataPacket[]>(
    `SELECT TRIGGER_NAME, EVENT_MANIPULATION, EVENT_OBJECT_TABLE, ACTION_STATEMENT, ACTION_TIMING
       FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1`,
  );
  const [head] = await pool.query<RowDataPacket[]>('SELECT * FROM chain_head');
  return [...described, triggers, head];
}

async function firstColumn(pool: Pool, sql: string): Promise<readonly string[]> {
  const [rows] = await pool.query<RowDataPacket[]>(sql);
  return rows.map((row) => String(Object.values(row)[0]));
}

function applied(pool: Pool): Promise<readonly string[]> {
  return firstColumn(pool, 'SELECT name FROM schema_migrations ORDER BY name');
}

test('applies every file in the order of its name, and nothing the second time', async () => {
  const { url, pool } = await emptyDatabase();
  expect(await migrate(url)).toEqual(FILES);
  expect(await migrate(url)).toEqual([]);
  expect(await applied(pool)).toEqual(FILES);
});

test('applies each file once when several start at the same time', async () => {
  const { url, pool } = await emptyDatabase();
  const done = await Promise.all([migrate(url), migrate(url), migrate(url)]);
  expect(done.flat().toSorted()).toEqual(FILES);
  expect(done.filter((names) => names.length > 0)).toHaveLength(1);
  expect(await applied(pool)).toEqual(FILES);
});

test('runs a file again that was interrupted after any of its statements', async () => {
  const whole = await emptyDatabase();
  await migrate(whole.url);

  const { url, pool } = await emptyDatabase();
  for (const file of FILES) {
    const statements = statementsOf(readFileSync(join(MIGRATIONS, file), 'utf8'));
    for (const [last] of statements.entries()) {
      for (const statement of statements.slice(0, last + 1)) await pool.query(statement);
    }
  }
  const setHead = async (seq: number): Promise<void> => {
    await pool.query('TRUNCATE chain_head');
    await pool.query("INSERT INTO chain_head VALUES (1, ?, REPEAT('0', 64))", [seq]);
  };
  await setHead(7);

  expect(await migrate(url)).toEqual(FILES);
  // What was there is not overwritten.
  expect(await firstColumn(pool, 'SELECT seq FROM chain_head')).toEqual(['7']);
  await setHead(0);
  expect(await schemaOf(pool)).toEqual(await schemaOf(whole.pool));
});

test('refuses to go on when a file has changed since it was applied', async () => {
  const { url, pool } = await emptyDatabase();
  writeFileSync(join(dir, '0001-a.sql'), 'CREATE TABLE IF NOT EXISTS a (id INT);');
  await migrate(url, dir);

  writeFileSync(join(dir, '0001-a.sql'), 'CREATE TABLE IF NOT EXISTS a (id INT);\n');
  writeFileSync(join(dir, '0002-b.sql'), 'CREATE TABLE IF NOT EXISTS b (id INT);');
  await expect(migrate(url, dir)).rejects.toThrow('migration 0001-a.sql was applied before');
  expect(await applied(pool)).toEqual(['0001-a.sql']);
});

test('stops at a file that fails, keeps those before it, and goes on when it is mended', async () => {
  const { url, pool } = await emptyDatabase();
  writeFileSync(join(dir, '0001-a.sql'), 'CREATE TABLE IF NOT EXISTS a (id INT);');
  writeFileSync(join(dir, '0002-b.sql'), 'CREATE TABLE IF NOT EXISTS b (id INT); CREATE TABEL c;');
  writeFileSync(join(dir, '0003-c.sql'), 'CREATE TABLE IF NOT EXISTS c (id INT);');
  writeFileSync(join(dir, 'notes.md'), 'not SQL');
  await expect(migrate(url, dir)).rejects.toThrow('migration 0002-b.sql failed');
  expect(await applied(pool)).toEqual(['0001-a.sql']);

  writeFileSync(join(dir, '0002-b.sql'), 'CREATE TABLE IF NOT EXISTS b (id INT);');
  expect(await migrate(url, dir)).toEqual(['0002-b.sql', '0003-c.sql']);
});

test('does not depend on what character set the server likes best', async () => {
  const { url, pool } = await emptyDatabase();
  await pool.query('ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_swedish_ci');
  await migrate(url);
  const collations = await firstColumn(
    pool,
    `SELECT DISTINCT COLLATION_NAME FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = DATABASE() AND COLLATION_NAME IS NOT NULL ORDER BY 1`,
  );
  expect(collations).toEqual(['ascii_bin', 'utf8mb4_bin', 'utf8mb4_nopad_bin']);
});

test('lets nobody change what was booked', async () => {
  const { url, pool } = await emptyDatabase();
  await migrate(url);
  await pool.query("INSERT INTO entries VALUES (1, 'e', NOW())");
  await pool.query("INSERT INTO postings VALUES (1, 0, 's', 'a', 'RUB', 1)");
  for (const table of ['entries', 'postings']) {
    await expect(pool.query(`UPDATE ${table} SET seq = seq`)).rejects.toThrow('never changed');
    await expect(pool.query(`DELETE FROM ${table}`)).rejects.toThrow('never deleted');
  }
});

/** Our files hold no compound statement, so a semicolon at the end of a line ends one. */
function statementsOf(sql: string): readonly string[] {
  return sql
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replaceAll(/^--.*$/gm, '').trim() !== '');
}
