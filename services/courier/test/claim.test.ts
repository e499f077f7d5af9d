import type { Pool, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { claimDeliveries } from '../src/claim.ts';
import { markDelivered, markForLater, markGivenUp, type Delivery } from '../src/deliveries.ts';

const START = new Date('2026-10-05T12:00:00.000Z');

let database: TestDatabase;
/** One connection, so that its session's counters are of its own work. */
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  pool = openDatabase(database.url, { connections: 1 });
});

beforeEach(() => pool.query('DELETE FROM outbox'));

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** `count` messages of each subject, in turns, the first of all at START. */
async function put(subjects: readonly string[], count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, at) => at + 1).flatMap((sequence) =>
    subjects.map((subject) => [
      'e',
      'webhook',
      JSON.stringify({ name: `${subject}${sequence}` }),
      START,
      START,
      subject,
    ]),
  );
  await pool.query(
    'INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at, subject) VALUES ?',
    [rows],
  );
}

const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1_000);
const claim = (seconds: number, limit = 10, from = pool): Promise<readonly Delivery[]> =>
  claimDeliveries(from, 'webhook', limit, at(seconds));
const names = (claimed: readonly Delivery[]): readonly string[] =>
  claimed.map(({ payload }) => String(payload['name']));
const failure = { error: 'HTTP 500', counts: true };

async function claimOne(seconds: number): Promise<Delivery> {
  const [delivery, ...more] = await claim(seconds);
  if (delivery === undefined || more.length > 0) throw new Error('not one message');
  return delivery;
}

test('one message of a subject is under way, and the next one goes as soon as it is delivered', async () => {
  await put(['a', 'b'], 3);
  const first = await claim(0);
  expect(names(first)).toEqual(['a1', 'b1']);
  expect(await claim(1)).toEqual([]);
  for (const delivery of first) await markDelivered(pool, delivery, at(2));
  expect(names(await claim(2))).toEqual(['a2', 'b2']);
});

test('what is given up for good lets the next one go at once too', async () => {
  await put(['a'], 2);
  await markGivenUp(pool, await claimOne(0), at(1), { error: 'HTTP 410', dead: true });
  expect(names(await claim(1))).toEqual(['a2']);
});

test('what fails holds its subject back for five minutes to the second, then the later ones go', async () => {
  await put(['a'], 3);
  await markForLater(pool, await claimOne(0), at(7_200), failure);
  expect(await claim(299)).toEqual([]);
  const second = await claimOne(301);
  expect(second.payload['name']).toBe('a2');
  await markDelivered(pool, second, at(302));
  expect(names(await claim(302))).toEqual(['a3']);
  expect(names(await claim(7_200))).toContain('a1');
});

test('a delivery does not wake one that waits for a time of its own', async () => {
  await put(['a'], 2);
  await markForLater(pool, await claimOne(0), at(7_200), failure);
  await markForLater(pool, await claimOne(301), at(9_000), failure);
  const [first] = await claim(7_200);
  expect(first?.payload['name']).toBe('a1');
  if (first !== undefined) await markDelivered(pool, first, at(7_201));
  expect(await claim(7_201)).toEqual([]);
  expect(names(await claim(9_000))).toEqual(['a2']);
});

test('several couriers take each message once, and never two of one subject', async () => {
  const subjects = Array.from({ length: 30 }, (_, number) => `s${number}`);
  await put(subjects, 2);
  const others = [0, 1, 2].map(() => openDatabase(database.url, { connections: 1 }));
  const claimed = await Promise.all(others.map((other) => claim(0, 30, other)));
  expect(names(claimed.flat()).toSorted()).toEqual(subjects.map((name) => `${name}1`).toSorted());
  await Promise.all(others.map((other) => other.end()));
});

test('a message whose courier has died comes again, before the later ones of its subject', async () => {
  await put(['a'], 2);
  await claimOne(0);
  expect(await claim(59)).toEqual([]);
  expect(names(await claim(61))).toEqual(['a1']);
});

test('a look costs the same whatever waits behind those that are under way', async () => {
  await put(['a', 'b'], 600);
  for (const delivery of await claim(0)) await markDelivered(pool, delivery, at(1));
  await claim(1);
  const before = await rowsRead();
  const [delivery] = await claim(2);
  expect(delivery).toBeUndefined();
  await put(['c'], 1);
  expect(names(await claim(2))).toEqual(['c1']);
  expect((await rowsRead()) - before).toBeLessThan(100);
});

async function rowsRead(): Promise<number> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_key', 'Handler_read_next')`,
  );
  return rows.reduce((sum, row) => sum + Number(row['Value']), 0);
}
