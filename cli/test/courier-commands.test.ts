import type { Pool, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import {
  createTestDatabase,
  createTestRedis,
  type TestDatabase,
} from '@kopeck/testing/test-database';
import { run as reconcile } from '../src/commands/reconcile.ts';
import { run as replay } from '../src/commands/replay.ts';
import { contextWith } from './context.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  pool = openDatabase(database.url);
});

/** Three calls that have failed for good, and one that waits. */
beforeEach(async () => {
  await pool.query('DELETE FROM outbox');
  const at = new Date('2026-10-05T12:00:00Z');
  await pool.query(
    `INSERT INTO outbox (id, event_id, kind, payload, created_at, next_attempt_at, attempts, done_at, dead_at)
      VALUES ?`,
    [
      [1, 2, 3]
        .map((id) => [id, 'e', 'webhook', '{}', at, at, 8, at, at])
        .concat([[4, 'e', 'webhook', '{}', at, at, 2, null, null]] as never),
    ],
  );
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** 'id attempts', of what is due. */
async function due(): Promise<readonly string[]> {
  const [rows] = await pool.query<RowDataPacket[]>(
    'SELECT id, attempts FROM outbox WHERE done_at IS NULL AND dead_at IS NULL ORDER BY id',
  );
  return rows.map((row) => `${row['id']} ${row['attempts']}`);
}

test('replay makes dead calls again from the beginning: the named ones, or all', async () => {
  const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
  const context = contextWith({ DATABASE_URL: database.url, REDIS_URL, REDIS_PREFIX });
  expect(await replay(['2', '99'], context)).toBe(0);
  expect(await due()).toEqual(['2 0', '4 2']);
  expect(await replay([], context)).toBe(0);
  expect(await due()).toEqual(['1 0', '2 0', '3 0', '4 2']);
  expect(await replay([], context)).toBe(0);
  expect(context.said).toEqual([
    '1 call is made again.',
    '2 calls are made again.',
    '0 calls are made again.',
  ]);
});

test('asked wrongly, refused, or with nobody there, they say what to do', async () => {
  const context = contextWith({ CRYPTO_URL: 'http://127.0.0.1:9', CRYPTO_API_TOKEN: 'token' });
  await expect(replay(['all'], context)).rejects.toThrow(/usage/);
  await expect(reconcile(['now'], context)).rejects.toThrow(/usage/);
  await expect(reconcile([], context)).rejects.toThrow(/Nobody answers at http:..127.0.0.1:9/);
});
