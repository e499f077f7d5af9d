import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createConnection, type Connection } from 'mysql2/promise';
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
