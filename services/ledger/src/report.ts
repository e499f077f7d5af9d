import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { fromDecimal } from './audit/decimal.ts';

export interface ReportLine {
  readonly source: string;
  readonly asset: string;
  /** What was sold, suspense and refunds not taken off; of an affiliate programme, the commission. */
  readonly gross: string;
  readonly fees: string;
  readonly refunds: string;
  /** What of it waits for a person. */
  readonly suspense: string;
  readonly entries: number;
}

/**
 * What came in a time, per source and asset. By when it reached us, not by the partner's date: a closed
 * month stays as it was printed. Both ends are UTC, the second is outside.
 */
export async function report(pool: Pool, from: Date, to: Date): Promise<readonly ReportLine[]> {
  const [rows] = await pool.query<RowDataPacket[]>(SQL, [from, to]);
  return rows.map((row) => ({
    source: String(row['source']),
    asset: String(row['asset']),
    gross: decimal(row['gross']),
    fees: decimal(row['fees']),
    refunds: decimal(row['refunds']),
    suspense: decimal(row['suspense']),
    entries: Number(row['entries']),
  }));
}

/** The source is that of the subject: an order or a person may have moved money of a payment. */
const SQL = `SELECT SUBSTRING_INDEX(SUBSTRING_INDEX(p.subject, ':', 2), ':', -1) AS source, p.asset,
    COUNT(DISTINCT p.seq) AS entries,
    -SUM(IF(i.type <> 'payment.refunded' AND (p.account REGEXP '^(sales|suspense)(:test)?$'
      OR p.account LIKE 'commission:%'), p.amount, 0)) AS gross,
    SUM(IF(p.account LIKE 'fees:%', p.amount, 0)) AS fees,
    SUM(IF(i.type = 'payment.refunded' AND p.account REGEXP '^(sales|suspense)(:test)?$',
      p.amount, 0)) AS refunds,
    -SUM(IF(p.account REGEXP '^suspense(:test)?$', p.amount, 0)) AS suspense
  FROM inbox i JOIN postings p ON p.seq = i.seq
  WHERE i.received_at >= ? AND i.received_at < ?
  GROUP BY source, p.asset ORDER BY source, p.asset`;

function decimal(value: unknown): string {
  return fromDecimal(String(value))?.text ?? '0';
}

const COLUMNS = ['source', 'asset', 'gross', 'fees', 'refunds', 'suspense', 'entries'] as const;

export function reportCsv(lines: readonly ReportLine[]): string {
  return [COLUMNS, ...lines.map((line) => COLUMNS.map((column) => line[column]))]
    .map((cells) => cells.join(','))
    .join('\n');
}

export function reportText(lines: readonly ReportLine[]): string {
  const table = [COLUMNS, ...lines.map((line) => COLUMNS.map((column) => String(line[column])))];
  const widths = COLUMNS.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One transaction an entry, in the journal format of hledger (and of ledger), oldest first. */
export async function* journal(tx: PoolConnection): AsyncGenerator<string> {
  yield 'decimal-mark .\n';
  let last = '0';
  for (;;) {
    const [rows] = await tx.query<RowDataPacket[]>(
      `SELECT p.seq, p.account, p.asset, p.amount, i.event_id,
          DATE_FORMAT(i.received_at, '%Y-%m-%d') AS day
        FROM (SELECT seq FROM entries WHERE seq > ? ORDER BY seq LIMIT 1000) e
        JOIN postings p ON p.seq = e.seq JOIN inbox i ON i.seq = e.seq ORDER BY p.seq, p.line`,
      [last],
    );
    if (rows.length === 0) return;
    for (const lines of Map.groupBy(rows, (row) => String(row['seq'])).values())
      yield transaction(lines);
    last = String(rows.at(-1)?.['seq']);
  }
}

function transaction(lines: readonly RowDataPacket[]): string {
  const [first] = lines;
  const head = `${first?.['day']} * (${first?.['seq']}) ${first?.['event_id']}`;
  const postings = lines.map(
    (row) =>
      `    ${accountName(String(row['account']))}  ${decimal(row['amount'])} ${commodity(String(row['asset']))}`,
  );
  return [head, ...postings, ''].join('\n');
}

/** A user's id may hold anything; two accounts stay two. */
export function accountName(account: string): string {
  return account.replace(/[^\p{L}\p{N}:._-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

/** A code with a digit in it must be quoted. */
function commodity(asset: string): string {
  return /^[A-Z]+$/.test(asset) ? asset : `"${asset}"`;
}
