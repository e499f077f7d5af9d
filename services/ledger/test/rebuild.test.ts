import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { orderEvent, paymentEvent } from '@kopeck/testing/build-event';
import { audit, inSnapshot } from '../src/audit/audit.ts';
import { chainLine } from '../src/audit/export-chain.ts';
import { readRows } from '../src/audit/rows.ts';
import { rebuild } from '../src/rebuild.ts';
import { emptyEvidence } from '../src/retention.ts';
import { openBooks, type Books } from './books.ts';
import { everything } from './history.ts';

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs');
const STARS = {
  source: 'telegram',
  paymentId: 's3',
  paid: { asset: 'XTR', amount: '150' },
  reference: '{"telegram_id":5123,"amount_ndn":1500}',
} as const;

let books: Books;
const opened: Books[] = [];

async function open(rates: Parameters<typeof openBooks>[1] = {}): Promise<Books> {
  const fresh = await openBooks(inject('mariadbRootUrl'), rates);
  opened.push(fresh);
  return fresh;
}

beforeAll(async () => {
  books = await open({ EPN_CASHBACK_PERCENT: '10' });
  const all = everything();
  await books.book(...all.slice(4), ...all.slice(6, 8));
  // Completes what told no amount, conflicts with what did, and an order that comes after its payments.
  await books.book(paymentEvent('payment.paid', STARS));
  await books.book(paymentEvent('payment.paid', { ...STARS, paid: { asset: 'XTR', amount: '1' } }));
  for (const event of all.slice(0, 4)) await books.book(event);
  await books.book(orderEvent('sbp', { orderId: 'order-2' }));
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
});

const TABLES = [
  'inbox',
  'evidence',
  'entries',
  'postings',
  'orders',
  'payments',
  'affiliate_actions',
  'subscriptions',
  'reviews',
  'conflicts',
  'repeats',
  'outbox',
];

test('a rebuild arrives at the same head and the same tables, also after every rate has changed', async () => {
  const other = await open({ NDN_PER_STAR: '77', PLANS: '{}', EPN_CASHBACK_PERCENT: '99' });
  const { head } = await audit(books.pool);
  expect(await rebuild(books.pool, other.pool)).toEqual(head);
  expect(await audit(other.pool)).toMatchObject({ head, problem: null });
  expect(await other.balances()).toEqual(await books.balances());
  for (const table of TABLES) {
    const rows = `SELECT * FROM ${table} ORDER BY 1, 2`;
    expect(await other.query(rows), table).toEqual(await books.query(rows));
  }
});

test('a rebuild needs no evidence', async () => {
  const other = await open();
  const without = await open();
  await rebuild(books.pool, other.pool);
  await other.query('DELETE FROM evidence');
  expect(await rebuild(other.pool, without.pool)).toEqual((await audit(books.pool)).head);
});

test('retention empties evidence and nothing else, and only what it has noted may be gone', async () => {
  const other = await open();
  await rebuild(books.pool, other.pool);
  const later = new Date(Date.now() + 60_000);
  expect(await emptyEvidence(other.pool, new Date(0), later)).toEqual({ uptoSeq: 0n, emptied: 0 });
  const { emptied } = await emptyEvidence(other.pool, later, later);
  expect(emptied).toBeGreaterThan(5);
  expect(await other.query('SELECT * FROM evidence')).toEqual([]);
  expect((await audit(other.pool)).problem).toBeNull();
  await other.query('DELETE FROM retention_runs');
  expect((await audit(other.pool)).problem).toMatchObject({ invariant: 'evidence' });
});

test('a rebuild stops where the books were not made by their events', async () => {
  const other = await open();
  await rebuild(books.pool, other.pool);
  await other.query('DROP TRIGGER inbox_no_update');
  await other.query(`UPDATE inbox SET data = REPLACE(data, '"150"', '"151"') WHERE seq = 3`);
  await expect(rebuild(other.pool, (await open()).pool)).rejects.toThrow(/^seq 3 /);
});

test('somebody else verifies the chain with the standard library of another language', async () => {
  const rows = await inSnapshot(books.pool, async (tx) => {
    const lines: string[] = [];
    for await (const row of readRows(tx)) lines.push(chainLine(row));
    return lines;
  });
  const { head } = await audit(books.pool);
  const anchor = `${head.seq}:${head.hash}`;
  expect(python(rows, anchor)).toEqual({ status: 0, text: anchor });
  expect(python(rows.toSpliced(4, 1)).text).toContain('WRONG at seq 6');
  expect(python(rows.slice(0, 5), anchor).text).toContain('does not pass');

  // And straight from the tables, by SQL alone.
  const [length = '', names = '', query = ''] = readFileSync(join(DOCS, 'chain.sql'), 'utf8').split(
    ';\n',
  );
  const bySql = await inSnapshot(books.pool, async (tx) => {
    await tx.query(length);
    await tx.query(names);
    const [lines] = await tx.query<RowDataPacket[]>({ sql: query, rowsAsArray: true });
    return lines.map((row) => textOf(Object.values(row)[0]));
  });
  expect(python(bySql)).toEqual({ status: 0, text: anchor });
});

function textOf(json: unknown): string {
  return typeof json === 'string' ? json : JSON.stringify(json);
}

function python(lines: readonly string[], ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    'python3',
    [join(DOCS, 'verify-chain.py'), ...args],
    {
      input: lines.join('\n'),
      encoding: 'utf8',
    },
  );
  return { status, text: `${stdout}${stderr}`.trim() };
}
