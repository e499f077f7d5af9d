import type { ResultSetHeader } from 'mysql2/promise';
import { GENESIS } from '../src/chain.ts';
import type { Books } from './books.ts';

// What the owner of a database can do to books of which he has removed the triggers.

/** No trigger and no foreign key is in the way any more; what is in the tables is kept beside them. */
export async function withoutGuards({ query }: Books, tables: readonly string[]): Promise<void> {
  for (const trigger of await query('SHOW TRIGGERS'))
    await query(`DROP TRIGGER ${trigger['Trigger']}`);
  await query('ALTER TABLE postings DROP FOREIGN KEY postings_entry');
  for (const table of tables) {
    await query(`CREATE TABLE original_${table} LIKE ${table}`);
    await query(`INSERT INTO original_${table} SELECT * FROM ${table}`);
  }
}

export async function restoreTable({ query }: Books, table: string): Promise<void> {
  await query(`TRUNCATE ${table}`);
  await query(`INSERT INTO ${table} SELECT * FROM original_${table}`);
}

export interface Site {
  readonly books: Books;
  /** Rows of the inbox. */
  readonly count: number;
  /** The row that is meant, from 1. */
  readonly at: number;
  readonly dice: number;
}

/** What nobody sees but from a head that was printed before. */
export const TRUNCATE_WITH_HEAD = 'truncate, and the head with it';

/** Tables with a seq. */
const NUMBERED = ['inbox', 'entries', 'postings'] as const;
const COPIED: Readonly<Record<string, string>> = {
  seq: 'seq + 1',
  event_id: "CONCAT(event_id, '.copy')",
};

/** Each does it, and returns the first place where something is wrong then. */
export const DAMAGES: Readonly<Record<string, (site: Site) => Promise<string>>> = {
  change: changeByte,
  'change the head': async ({ books, count, dice }) => {
    await run(books, `UPDATE chain_head SET hash = ${otherText('hash', dice)}`);
    return `seq ${count}`;
  },
  // Rows change places and keep their numbers.
  swap: async ({ books, count, at, dice }) => {
    const other = 1 + ((at + (dice % (count - 1))) % count);
    for (const [from, to] of [
      [at, 1_000_000],
      [other, at],
      [1_000_000, other],
    ] as const)
      await run(books, `UPDATE inbox SET seq = ${to} WHERE seq = ${from}`);
    return `seq ${Math.min(at, other)}`;
  },
  delete: async ({ books, count, at }) => {
    await remove(books, `seq = ${at}`);
    return `seq ${at === count ? count - 1 : at + 1}`;
  },
  'delete and close the gap': async ({ books, count, at }) => {
    await remove(books, `seq = ${at}`);
    for (const table of NUMBERED)
      await books.query(`UPDATE ${table} SET seq = seq - 1 WHERE seq > ${at} ORDER BY seq`);
    return `seq ${at === count ? count - 1 : at}`;
  },
  // A copy under another id, with its entry, after the row itself.
  insert: async ({ books, at }) => {
    for (const table of NUMBERED) {
      await books.query(`UPDATE ${table} SET seq = seq + 1 WHERE seq > ${at} ORDER BY seq DESC`);
      const columns = await columnsOf(books, table);
      const values = columns.map((column) => COPIED[column] ?? column);
      await books.query(
        `INSERT INTO ${table} (${columns.join(', ')})
          SELECT ${values.join(', ')} FROM ${table} WHERE seq = ${at}`,
      );
    }
    return `seq ${at + 1}`;
  },
  truncate: async ({ books, at }) => {
    await remove(books, `seq >= ${at}`);
    return `seq ${at - 1}`;
  },
  [TRUNCATE_WITH_HEAD]: async ({ books, at }) => {
    await remove(books, `seq >= ${at}`);
    const hash = `COALESCE((SELECT hash FROM inbox WHERE seq = ${at - 1}), '${GENESIS}')`;
    await run(books, `UPDATE chain_head SET seq = ${at - 1}, hash = ${hash}`);
    return `seq ${at - 1}`;
  },
};

/** What the chain covers, by the way in which a little of it is changed. */
const COVERED: readonly (readonly [table: string, columns: readonly string[]])[] = [
  [
    'inbox',
    ['event_id', 'source', 'type', 'subject', 'network', 'outcome', 'reason', 'contenthash'],
  ],
  ['inbox', ['occurred_at', 'received_at', 'data', 'inputs', 'evidence_hash', 'hash']],
  ['entries', ['event_id', 'booked_at']],
  ['postings', ['subject', 'account', 'asset', 'amount']],
  ['evidence', ['body']],
];

/** One byte of a text, one bit of evidence, the smallest part of a time or of an amount. */
async function changeByte({ books, dice }: Site): Promise<string> {
  const [table, columns] = COVERED[dice % COVERED.length] ?? ['inbox', []];
  const column = columns[dice % columns.length] ?? 'hash';
  const key = table === 'evidence' ? 'event_id' : 'seq';
  const rows = await books.query(`SELECT ${key} AS id FROM ${table} ORDER BY ${key}`);
  const id = String(rows[dice % rows.length]?.['id']);
  await run(
    books,
    `UPDATE ${table} SET ${column} = ${otherValue(column, dice)} WHERE ${key} = '${id}' LIMIT 1`,
  );
  if (table !== 'evidence') return `seq ${id}`;
  const [row] = await books.query(`SELECT seq FROM inbox WHERE event_id = '${id}'`);
  return `seq ${row?.['seq']}`;
}

function otherValue(column: string, dice: number): string {
  if (column === 'booked_at') return 'booked_at + INTERVAL 1 MICROSECOND';
  if (column.endsWith('_at')) return `${column} + INTERVAL 1000 MICROSECOND`;
  if (column === 'amount') return "amount + CAST('0.000000000000000001' AS DECIMAL(38,18))";
  if (column !== 'body') return otherText(column, dice);
  // Of a packed byte every bit: one alone may be padding, which nobody reads.
  const at = `1 + ${dice} % LENGTH(body)`;
  return `INSERT(body, ${at}, 1, CHAR(ORD(SUBSTR(body, ${at}, 1)) ^ 255))`;
}

function otherText(column: string, dice: number): string {
  const text = `COALESCE(${column}, '')`;
  const at = `1 + ${dice} % GREATEST(CHAR_LENGTH(${text}), 1)`;
  const other = `IF(SUBSTR(${text}, ${at}, 1) = 'q', 'z', 'q')`;
  return `IF(${text} = '', 'q', INSERT(${text}, ${at}, 1, ${other}))`;
}

async function remove(books: Books, where: string): Promise<void> {
  const events = `SELECT event_id FROM inbox WHERE ${where}`;
  await books.query(`DELETE FROM evidence WHERE event_id IN (${events})`);
  for (const table of NUMBERED.toReversed())
    await books.query(`DELETE FROM ${table} WHERE ${where}`);
}

async function columnsOf({ query }: Books, table: string): Promise<readonly string[]> {
  const columns = await query(
    `SELECT column_name AS c FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = '${table}' ORDER BY ordinal_position`,
  );
  return columns.map(({ c }) => String(c));
}

/** One row is to be another afterwards. */
async function run({ pool }: Books, sql: string): Promise<void> {
  const [{ affectedRows }] = await pool.query<ResultSetHeader>(sql);
  if (affectedRows !== 1) throw new Error(`${affectedRows} rows instead of one: ${sql}`);
}
