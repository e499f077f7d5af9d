import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { DATABASE_GRANTS } from '@kopeck/runtime/database-users';
import { waitFor } from '@kopeck/testing/wait-for';
import { audit } from '../src/audit/audit.ts';
import { openBooks, type Books } from './books.ts';
import { everything } from './history.ts';

// What the schema itself refuses, whoever writes: each wrong booking is tried by hand, in a transaction
// that moves the head as a right one does.

let books: Books;
let writer: Connection;
let seq: number;

beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
  await books.book(...everything());
  seq = everything().length + 1;
});
beforeEach(async () => {
  writer = await createConnection(books.url);
  await writer.beginTransaction();
});
afterEach(async () => {
  await writer.rollback();
  await writer.end();
});
afterAll(() => books.close());

async function write(outcome: string, at = seq, id = `hand.${at}`): Promise<void> {
  await writer.query(
    `INSERT INTO inbox (event_id, seq, source, type, subject, network, outcome, contenthash,
      occurred_at, received_at, booked_at, data, inputs, evidence_hash, hash)
      VALUES (?, ?, '', '', '', '', ?, '', NOW(), NOW(), NOW(), '{}', '{}', '', ?)`,
    [id, at, outcome, `hash of ${at}`],
  );
}

async function enter(amounts: readonly number[], id = `hand.${seq}`): Promise<void> {
  await writer.query('INSERT INTO entries VALUES (?, ?, NOW())', [seq, id]);
  for (const [line, amount] of amounts.entries())
    await writer.query("INSERT INTO postings VALUES (?, ?, 's', 'a', 'RUB', ?)", [
      seq,
      line,
      String(amount),
    ]);
}

const moveHead = (to = seq, hash = `hash of ${to}`) =>
  writer.query('UPDATE chain_head SET seq = ?, hash = ?', [to, hash]);

test('a right booking by hand is taken, and makes the balances', async () => {
  const amount = async (): Promise<unknown> =>
    (await writer.query("SELECT amount FROM balances WHERE account = 'a'"))[0];
  await write('booked');
  await enter([7, -3, -4]);
  expect(await amount()).toEqual([]);
  await moveHead();
  expect(await amount()).toEqual([{ amount: '0.000000000000000000' }]);
});

test('an entry whose postings do not add up to zero is refused', async () => {
  await write('booked');
  await enter([7, -6]);
  await expect(moveHead()).rejects.toThrow('do not add up to zero');
});

test('a gap, a number too far, another hash and a step back are refused', async () => {
  await write('noted', seq + 1);
  await expect(moveHead(seq + 1)).rejects.toThrow('without a gap');
  await write('noted');
  await expect(moveHead()).rejects.toThrow('without a gap');
  await expect(moveHead(seq + 1, 'another')).rejects.toThrow('without a gap');
  await expect(moveHead(1)).rejects.toThrow('without a gap');
  await moveHead(seq + 1);
});

test.for([
  ['booked', null],
  ['noted', [1, -1]],
  ['quarantined', [1, -1]],
  ['perhaps', null],
  ['', null],
] as const)('the outcome %j with the postings %j is refused', async ([outcome, amounts]) => {
  await write(outcome);
  if (amounts !== null) await enter(amounts);
  await expect(moveHead()).rejects.toThrow('do not go together');
});

test('an entry of another event is refused', async () => {
  await write('booked');
  await enter([1, -1], 'another');
  await expect(moveHead()).rejects.toThrow('do not go together');
});

test('the same event a second time, or the same number, is refused', async () => {
  const [first] = everything();
  await expect(write('noted', seq, first?.id)).rejects.toMatchObject({ errno: 1062 });
  await expect(write('noted', 1)).rejects.toMatchObject({ errno: 1062 });
});

test('what was booked cannot be changed or deleted, and the head cannot be taken away', async () => {
  for (const table of ['inbox', 'entries', 'postings']) {
    await expect(writer.query(`UPDATE ${table} SET seq = seq`)).rejects.toThrow(/never changed/);
    await expect(writer.query(`DELETE FROM ${table}`)).rejects.toThrow(/never deleted/);
  }
  await expect(writer.query('DELETE FROM chain_head')).rejects.toThrow(/never deleted/);
  expect((await audit(books.pool)).problem).toBeNull();
});

const connect = (uri: string): Promise<Connection> => createConnection({ uri });
const POSTING = `INSERT INTO postings (seq, line, subject, account, asset, amount)
  VALUES (?, ?, 's', 'sales', 'RUB', '1')`;
const ENTRY = 'INSERT INTO entries (seq, event_id, booked_at) VALUES (?, ?, NOW())';

/** With the rights that the ledger's own user has on these books, and no others. */
async function asTheLedger(work: (ledger: Connection) => Promise<void>): Promise<void> {
  const url = new URL(books.url);
  const [database, name] = [url.pathname.slice(1), `ledger_${process.pid}`];
  const [user, root] = [`'${name}'@'127.0.0.1'`, await connect(inject('mariadbRootUrl'))];
  await root.query(`CREATE USER ${user} IDENTIFIED BY '${name}'`);
  for (const [table, rights] of Object.entries(DATABASE_GRANTS.ledger))
    if (table !== 'schema_migrations')
      await root.query(`GRANT ${rights.join(', ')} ON ${database}.${table} TO ${user}`);
  [url.username, url.password] = [name, name];
  const ledger = await connect(url.href);
  try {
    await work(ledger);
  } finally {
    await ledger.end();
    await root.query(`DROP USER ${user}`);
    await root.end();
  }
}

test('the ledger itself cannot add a line, an entry or an event to what was booked', async () => {
  const [entry] = await books.query('SELECT MAX(seq) AS seq FROM entries');
  const [noted] = await books.query("SELECT seq, event_id FROM inbox WHERE outcome = 'noted'");
  const owner = writer;
  await asTheLedger(async (ledger) => {
    const line = ledger.query(POSTING, [entry?.['seq'], 99]);
    await expect(line).rejects.toThrow('a posting is never added later');
    const another = ledger.query(ENTRY, [noted?.['seq'], noted?.['event_id']]);
    await expect(another).rejects.toThrow('an entry is never added later');
    writer = ledger;
    await expect(write('noted', 0)).rejects.toThrow('before the first is never added');
    await expect(write('noted', 1)).rejects.toMatchObject({ errno: 1062 });
  }).finally(() => (writer = owner));
  expect((await audit(books.pool)).problem).toBeNull();
});

// The last one: what it books by hand stays in the books.
test('an entry that somebody adds while a booking is under way is held against the head that it leaves', async () => {
  const root = await connect(inject('mariadbRootUrl'));
  await asTheLedger(async (ledger) => {
    // It reads without locks wherever it may.
    await ledger.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await writer.query('SELECT seq FROM chain_head FOR UPDATE');
    let isOver = false;
    const late = ledger
      .query(ENTRY, [seq, 'late'])
      .then(() => 'added', String)
      .finally(() => (isOver = true));
    await waitFor(
      async () => {
        const [rows] = await root.query<RowDataPacket[]>(
          `SELECT 1 FROM information_schema.INNODB_TRX
          WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = ${ledger.threadId}`,
        );
        return isOver || rows.length > 0;
      },
      { everyMs: 200 },
    );
    await write('noted');
    await moveHead();
    await writer.commit();
    expect(await late).toContain('an entry is never added later');
  });
  await root.end();
});
