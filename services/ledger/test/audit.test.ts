import type { RowDataPacket } from 'mysql2/promise';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { audit, inSnapshot } from '../src/audit/audit.ts';
import { readRows } from '../src/audit/rows.ts';
import { createVerifier, wrongEnd } from '../src/audit/verify.ts';
import type { AuditRow, Head, Problem } from '../src/audit/verify.ts';
import { GENESIS } from '../src/chain.ts';
import { openBooks, type Books } from './books.ts';
import { restoreTable, withoutGuards } from './damage.ts';
import { everything } from './history.ts';

let books: Books;
let rows: readonly AuditRow[];
let head: Head;

beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'), { EPN_CASHBACK_PERCENT: '10' });
  for (const event of everything()) await books.book(event);
  rows = await inSnapshot(books.pool, async (tx) => {
    const all: AuditRow[] = [];
    for await (const row of readRows(tx)) all.push(row);
    return all;
  });
  ({ head } = await audit(books.pool));
});
afterAll(() => books.close());

/** The first problem of the rows, or of where they end, while the head that is stored stays. */
function verify(some: readonly AuditRow[]): Problem | null {
  const verifier = createVerifier({ emptiedUpTo: 0n, anchors: [] });
  for (const row of some) {
    const problem = verifier.row(row);
    if (problem !== null) return problem;
  }
  return wrongEnd(verifier.head(), [`1 ${head.seq} ${head.hash}`], []);
}

test('books that nobody touched are whole', async () => {
  expect(rows).toHaveLength(everything().length);
  expect(verify(rows)).toBeNull();
  expect(await audit(books.pool, [head, { seq: 0n, hash: GENESIS }])).toMatchObject({
    head,
    problem: null,
  });
});

/** Every value that a row holds, by its path; the time of booking alone is held by its entry only. */
function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]));
}

function withChanged(value: unknown, path: readonly string[], dice: number): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return changed(value, dice);
  const copy = (
    Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  ) as Record<string, unknown>;
  copy[key] = withChanged(copy[key], rest, dice);
  return copy;
}

function changed(value: unknown, dice: number): unknown {
  if (typeof value === 'bigint') return value + 1n + BigInt(dice % 5);
  if (typeof value === 'number') return value + 1 + (dice % 5);
  if (typeof value !== 'string' || value === '') return 'x';
  const at = dice % value.length;
  const other = String.fromCharCode(value.charCodeAt(at) ^ (1 + (dice % 7)));
  return value.slice(0, at) + other + value.slice(at + 1);
}

/** What the owner of a database can do to rows, by the place where it must be noticed. */
const DAMAGES: Readonly<Record<string, (index: number, dice: number) => readonly AuditRow[]>> = {
  change: (index, dice) => {
    const row = rows[index] as AuditRow;
    const paths = pathsOf(row).filter(([key]) => key !== 'bookedAt' || row.entry !== null);
    const path = paths[dice % paths.length] ?? [];
    return rows.with(index, withChanged(row, path, dice) as AuditRow);
  },
  // Whole rows change places and keep their numbers: the gap alone must not be what finds it.
  swap: (index, dice) => {
    const other = (index + 1 + (dice % (rows.length - 1))) % rows.length;
    const [a, b] = [rows[index], rows[other]] as [AuditRow, AuditRow];
    return rows
      .with(index, { ...b, link: { ...b.link, seq: a.link.seq } })
      .with(other, { ...a, link: { ...a.link, seq: b.link.seq } });
  },
  delete: (index) => rows.toSpliced(index, 1),
  insert: (index) => rows.toSpliced(index, 0, rows[index] as AuditRow),
  truncate: (index) => rows.slice(0, index),
};

test('of 1,000 random changes, swaps, deletions, insertions and cuts every one is found and named', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(DAMAGES)), fc.nat(), fc.nat(), (kind, at, dice) => {
      const damaged = DAMAGES[kind]?.(at % rows.length, dice) ?? [];
      const first = [...rows, null].findIndex((row, index) => damaged[index] !== row);
      const problem = verify(damaged);
      expect(problem?.place).toBe(placeOf(kind, damaged, first));
    }),
    { numRuns: 1_000 },
  );
});

/** A cut is noticed at what is left; a row is called by the number that it has, even if it is false. */
function placeOf(kind: string, damaged: readonly AuditRow[], first: number): string {
  const row = kind === 'truncate' ? undefined : damaged[first];
  return `seq ${row === undefined ? damaged.length : row.link.seq}`;
}

/** Columns whose change nobody can notice: they tell when a row was written, or (`n`) where it lies. */
const TELL_NOTHING = new Set(['updated_at', 'created_at', 'n']);
const TABLES = [
  'inbox',
  'evidence',
  'entries',
  'postings',
  'balances',
  'orders',
  'payments',
  'affiliate_actions',
  'subscriptions',
  'subscription_grants',
  'chain_head',
];

test('a change of any column of any table of the books is found in the database', async () => {
  await withoutGuards(books, TABLES);
  const columns = await books.query(
    `SELECT table_name AS t, column_name AS c, data_type AS d FROM information_schema.columns
      WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`,
  );
  for (const { t, c, d } of columns) {
    const [table, column] = [String(t), String(c)];
    if (!TABLES.includes(table) || TELL_NOTHING.has(column)) continue;
    const changes = await changeOne(table, column, String(d));
    expect(changes, `${table}.${column}`).toBe(1);
    expect((await audit(books.pool)).problem, `${table}.${column}`).not.toBeNull();
    await restore(table);
  }
  for (const table of TABLES) {
    await books.query(`DELETE FROM ${table} ${ANY[table] ?? ''} LIMIT 1`);
    expect((await audit(books.pool)).problem, `a row of ${table}`).not.toBeNull();
    await restore(table);
  }
  expect((await audit(books.pool)).problem).toBeNull();
});

test('a chain that was made anew, or cut at its tail, is seen from a head that was printed before', async () => {
  const other = { seq: head.seq - 1n, hash: 'f'.repeat(64) };
  expect((await audit(books.pool, [other])).problem?.place).toBe(`seq ${other.seq}`);
  const later = { seq: head.seq + 1n, hash: 'f'.repeat(64) };
  expect((await audit(books.pool, [later])).problem?.what).toContain('cut off');
});

const ANY: Readonly<Record<string, string>> = { inbox: "WHERE outcome = 'booked'" };

const restore = (table: string): Promise<void> => restoreTable(books, table);

async function changeOne(table: string, column: string, type: string): Promise<number> {
  const value = /char|text|blob/.test(type)
    ? `INSERT(COALESCE(${column}, ''), 1, 1, 'q')`
    : type === 'datetime'
      ? `${column} + INTERVAL 1 SECOND`
      : `${column} + 100`;
  const [result] = (await books.pool.query(
    `UPDATE ${table} SET ${column} = ${value} ${ANY[table] ?? ''} LIMIT 1`,
  )) as unknown as [RowDataPacket];
  return Number(result['affectedRows']);
}
