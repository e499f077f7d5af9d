import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { paymentEvent } from '@kopeck/testing/build-event';
import { waitFor } from '@kopeck/testing/wait-for';
import { openBooks, type Books } from './books.ts';

// Why the row of the chain's head is locked, and why it is locked first: the same booking in any other
// order ends in a deadlock, in a gap, or in one number for two events.

let books: Books;
let one: Connection;
let two: Connection;

beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
});
beforeEach(async () => {
  await books.query('DELETE FROM balances');
  [one, two] = await Promise.all([connect(), connect()]);
});
afterEach(() => Promise.all([one.end(), two.end()]));
afterAll(() => books.close());

async function connect(): Promise<Connection> {
  const connection = await createConnection(books.url);
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await connection.query('SET SESSION innodb_lock_wait_timeout = 20');
  return connection;
}

const LOCK_HEAD = 'SELECT seq FROM chain_head WHERE id = 1 FOR UPDATE';
const book = (account: string): string =>
  `INSERT INTO balances VALUES ('${account}', 'RUB', 1)
    ON DUPLICATE KEY UPDATE amount = amount + VALUES(amount)`;
const bookAs = (seq: number): string =>
  `INSERT INTO inbox (event_id, seq, source, type, subject, network, outcome, contenthash,
    occurred_at, received_at, booked_at, data, inputs, evidence_hash, hash)
    VALUES (?, ${seq}, '', '', '', '', 'noted', ?, NOW(), NOW(), NOW(), '', '', '', 'h')`;

/** Until the transaction of this connection waits for a lock. */
async function waits({ threadId }: Connection): Promise<void> {
  await waiting(`trx_mysql_thread_id = ${threadId}`);
}

/** The statement with which a transaction of these books waits for a lock, and the rows that it has changed. */
async function waiting(which: string): Promise<RowDataPacket | undefined> {
  const root = await createConnection(inject('mariadbRootUrl'));
  try {
    const rows = await waitFor(
      async () => {
        const [found] = await root.query<RowDataPacket[]>(
          `SELECT trx_query, trx_rows_modified FROM information_schema.INNODB_TRX
            JOIN information_schema.PROCESSLIST p ON p.id = trx_mysql_thread_id
            WHERE trx_state = 'LOCK WAIT' AND p.db = ? AND ${which}`,
          [new URL(books.url).pathname.slice(1)],
        );
        return found.length > 0 && found;
      },
      // That table is renewed only when nobody has read it for a tenth of a second.
      { everyMs: 150, what: 'a lock to be waited for' },
    );
    return rows[0];
  } finally {
    await root.end();
  }
}

test('with the head locked first, two bookings of the same accounts in opposite order both commit', async () => {
  const bookBoth = async (connection: Connection, ...accounts: readonly string[]) => {
    await connection.beginTransaction();
    await connection.query(LOCK_HEAD);
    for (const account of accounts) await connection.query(book(account));
  };
  await bookBoth(one, 'a', 'b');
  const second = bookBoth(two, 'b', 'a');
  await waits(two);
  await one.commit();
  await second;
  await two.commit();
  expect(await books.balances()).toEqual(['a 2 RUB', 'b 2 RUB']);
});

test('the ledger locks the head before it looks and before it writes: what it finds then is the truth', async () => {
  const event = paymentEvent('payment.paid', { source: 'telegram', paymentId: 'twice' });
  const ends: Promise<unknown>[] = [];
  await one.beginTransaction();
  await one.query(LOCK_HEAD);
  ends.push(books.outcomes(event));
  // It waits at its first statement, and has read and written nothing.
  expect(await waiting('TRUE')).toMatchObject({ trx_rows_modified: 0 });

  // Meanwhile another worker books the same event.
  await one.query(bookAs(1), [event.id, event.contenthash]);
  await one.query("UPDATE chain_head SET seq = 1, hash = 'h'");
  await one.commit();
  expect(await Promise.all(ends)).toEqual([['duplicate']]);
  await books.book(paymentEvent('payment.paid', { source: 'telegram', paymentId: 'next' }));
  expect(await books.query('SELECT seq FROM inbox ORDER BY seq')).toEqual([
    { seq: '1' },
    { seq: '2' },
  ]);
});

test('with the head locked last, they deadlock', async () => {
  await one.query(book('a'));
  await one.query(book('b'));
  await Promise.all([one.beginTransaction(), two.beginTransaction()]);
  await one.query(book('a'));
  await two.query(book('b'));
  const ends = [one.query(book('b')).catch((error: unknown) => error)];
  await waits(one);
  ends.push(two.query(book('a')).catch((error: unknown) => error));
  const errors = (await Promise.all(ends)).filter((end) => end instanceof Error);
  expect(errors).toMatchObject([{ errno: 1213 }]);
});

test('with the head read and not locked, two bookings take the same number', async () => {
  await one.query('CREATE TABLE numbered (seq BIGINT PRIMARY KEY) ENGINE=InnoDB');
  const take = async (connection: Connection): Promise<void> => {
    const [[head]] = await connection.query<RowDataPacket[]>('SELECT seq FROM chain_head');
    taken.push(Number(head?.['seq']) + 1);
    await connection.query(`INSERT INTO numbered VALUES (${taken.at(-1)})`);
  };
  const taken: number[] = [];
  await Promise.all([one.beginTransaction(), two.beginTransaction()]);
  await take(one);
  const second = take(two).catch((error: unknown) => error);
  await waits(two);
  await one.commit();
  expect(await second).toMatchObject({ errno: 1062 });
  expect(taken[0]).toBe(taken[1]);
});

test('with numbers from AUTO_INCREMENT, a booking that is rolled back leaves a gap', async () => {
  await one.query('CREATE TABLE counted (seq BIGINT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB');
  await one.beginTransaction();
  await one.query('INSERT INTO counted VALUES ()');
  await one.rollback();
  await one.query('INSERT INTO counted VALUES ()');
  expect(await books.query('SELECT seq FROM counted')).toEqual([{ seq: '2' }]);

  // The head gives the number back.
  await one.beginTransaction();
  await one.query(LOCK_HEAD);
  await one.query(bookAs(3), ['e', '']);
  await one.query("UPDATE chain_head SET seq = 3, hash = 'h'");
  await one.rollback();
  await books.book(paymentEvent('payment.paid', { source: 'telegram', paymentId: 'a' }));
  expect(await books.query('SELECT MAX(seq) AS seq FROM inbox')).toEqual([{ seq: '3' }]);
});
