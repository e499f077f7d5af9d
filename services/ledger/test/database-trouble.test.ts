import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type Connection, type Pool, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { isDatabaseTrouble, openDatabase } from '@kopeck/runtime/database';
import { affiliateEvent } from '@kopeck/testing/build-event';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { waitFor } from '@kopeck/testing/wait-for';
import { bookOrBisect } from '../src/book.ts';
import { openBooks, type Books } from './books.ts';

// What a database says that is not about the values: no event is ever quarantined for it, whether anybody
// knows the number or not.

let dir: string;
let mariadb: PrivateMariadb;
let books: Books;
let root: Connection;
let pool: Pool;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-trouble-'));
  mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
  books = await openBooks(mariadb.rootUrl);
  pool = openDatabase(books.url);
  root = await createConnection(mariadb.rootUrl);
  await root.query(`USE ${new URL(books.url).pathname.slice(1)}`);
});
afterAll(async () => {
  await Promise.all([root.end(), pool.end()]);
  await books.close();
  await mariadb.stop();
  await rm(dir, { recursive: true });
});

let count = 0;
function someEvent(): KopeckEvent {
  count += 1;
  const commission = { asset: 'RUB', amount: '1' };
  return affiliateEvent('completed', { actionId: `a-${count}`, commission });
}

/** As the worker books. */
function book(events: readonly KopeckEvent[]): ReturnType<typeof bookOrBisect> {
  return bookOrBisect({ pool, inputsFor: () => ({}), now: () => new Date() }, events);
}

async function timesBooked({ id }: KopeckEvent): Promise<number> {
  const [row] = await books.query(`SELECT COUNT(*) AS n FROM inbox WHERE event_id = '${id}'`);
  return Number(row?.['n']);
}

/** Somebody else holds the head of the chain: a booking waits for it. */
async function whileHeadIsHeld(work: () => Promise<void>): Promise<void> {
  const other = await createConnection(books.url);
  await other.beginTransaction();
  await other.query('SELECT * FROM chain_head FOR UPDATE');
  await work();
  await other.rollback();
  await other.end();
}

/** As a whole batch, which nobody halves: an error that is not the event's ends the booking. */
async function expectUndecided(events: readonly KopeckEvent[], errno: number): Promise<void> {
  const failure = await book(events).catch((error: unknown) => error);
  expect(failure).toMatchObject({ errno });
  expect(isDatabaseTrouble(failure)).toBe(true);
  expect(await Promise.all(events.map(timesBooked))).toEqual(events.map(() => 0));
  expect(await books.query("SELECT 1 FROM inbox WHERE outcome = 'quarantined'")).toEqual([]);
}

async function expectBooked(events: readonly KopeckEvent[]): Promise<void> {
  // What a server lets a connection do, it learns when it is made.
  await pool.end();
  pool = openDatabase(books.url);
  expect(await book(events)).toMatchObject(events.map(() => ({ outcome: 'booked' })));
  expect(await Promise.all(events.map(timesBooked))).toEqual(events.map(() => 1));
}

test('a statement that somebody stops (1317): it waits', async () => {
  const events = [someEvent(), someEvent()];
  await whileHeadIsHeld(async () => {
    const undecided = expectUndecided(events, 1317);
    const id = await waitFor(async () => {
      const [[row]] = await root.query<RowDataPacket[]>(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '%chain_head WHERE id = 1 FOR UPDATE'",
      );
      return Number(row?.['ID'] ?? 0);
    });
    await root.query(`KILL QUERY ${id}`);
    await undecided;
  });
  await expectBooked(events);
});

test('a statement that takes longer than it may (1969): it waits', async () => {
  const events = [someEvent(), someEvent()];
  await root.query('SET GLOBAL max_statement_time = 0.3');
  await pool.end();
  pool = openDatabase(books.url);
  await whileHeadIsHeld(() => expectUndecided(events, 1969));
  await root.query('SET GLOBAL max_statement_time = 0');
  await expectBooked(events);
});

test('a column that a migration has made without a default (1364): it waits', async () => {
  const events = [someEvent(), someEvent()];
  await root.query('ALTER TABLE affiliate_actions ADD COLUMN needed INT NOT NULL');
  await expectUndecided(events, 1364);
  await root.query('ALTER TABLE affiliate_actions DROP COLUMN needed');
  await expectBooked(events);
});

test.for([1020, 1213, 1105])(
  'what comes back however often it is tried (%i): it waits',
  async (errno) => {
    const events = [someEvent(), someEvent()];
    await root.query(
      `CREATE TRIGGER trouble BEFORE INSERT ON affiliate_actions FOR EACH ROW
        SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'made up'`,
    );
    await expectUndecided(events, errno);
    await root.query('DROP TRIGGER trouble');
    await expectBooked(events);
  },
);
