import type { Pool, RowDataPacket } from 'mysql2/promise';
import { fromDecimal } from './audit/decimal.ts';

export interface ReportLine {
  readonly source: string;
  /** Money of a test network is nobody's: it is never added to the other. */
  readonly network: string;
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
 * What came in a time, per source, network and asset. By when it reached us, not by the partner's date: a closed
 * month stays as it was printed. Both ends are UTC, the second is outside.
 */
export async function report(pool: Pool, from: Date, to: Date): Promise<readonly ReportLine[]> {
  const [rows] = await pool.query<RowDataPacket[]>(SQL, [from, to]);
  return rows.map((row) => ({
    source: String(row['source']),
    network: String(row['network']),
    asset: String(row['asset']),
    gross: decimal(row['gross']),
    fees: decimal(row['fees']),
    refunds: decimal(row['refunds']),
    suspense: decimal(row['suspense']),
    entries: Number(row['entries']),
  }));
}

/** The source is that of the subject: an order or a person may have moved money of a payment. */
const SQL = `SELECT SUBSTRING_INDEX(SUBSTRING_INDEX(p.subject, ':', 2), ':', -1) AS source, i.network,
    p.asset, COUNT(DISTINCT p.seq) AS entries,
    -SUM(IF(i.type <> 'payment.refunded' AND (p.account REGEXP '^(sales|suspense)(:test)?$'
      OR p.account LIKE 'commission:%'), p.amount, 0)) AS gross,
    SUM(IF(p.account LIKE 'fees:%', p.amount, 0)) AS fees,
    SUM(IF(i.type = 'payment.refunded' AND p.account REGEXP '^(sales|suspense)(:test)?$',
      p.amount, 0)) AS refunds,
    -SUM(IF(p.account REGEXP '^suspense(:test)?$', p.amount, 0)) AS suspense
  FROM inbox i JOIN postings p ON p.seq = i.seq
  WHERE i.received_at >= ? AND i.received_at < ?
  GROUP BY source, i.network, p.asset ORDER BY source, i.network, p.asset`;

function decimal(value: unknown): string {
  return fromDecimal(String(value))?.text ?? '0';
}

const COLUMNS = [
  'source',
  'network',
  'asset',
  'gross',
  'fees',
  'refunds',
  'suspense',
  'entries',
] as const;
/** The others are numbers. */
const WORDS = 3;

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
        .map((cell, at) =>
          at < WORDS ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
