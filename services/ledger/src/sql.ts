import type { PoolConnection } from 'mysql2/promise';

/** What mysql2 can bind without a guess; a number would be bound as a DOUBLE, so amounts are text. */
export type Row = readonly (string | number | Buffer | Date | null)[];

/** Long inserts go in pieces of this many rows, by a statement that the server has parsed once. */
const PIECE = 100;

/** One multi-row INSERT, written `… VALUES ? …`; without rows it is no statement at all. */
export async function insert(tx: PoolConnection, sql: string, rows: readonly Row[]): Promise<void> {
  const whole = rows.length - (rows.length % PIECE);
  for (let at = 0; at < whole; at += PIECE) {
    const piece = rows.slice(at, at + PIECE);
    await tx.execute(prepared(sql, piece), piece.flat());
  }
  if (whole < rows.length) await tx.query(sql, [rows.slice(whole)]);
}

function prepared(sql: string, rows: readonly Row[]): string {
  const row = `(${Array(rows[0]?.length ?? 0)
    .fill('?')
    .join(', ')})`;
  return sql.replace('VALUES ?', `VALUES ${rows.map(() => row).join(', ')}`);
}
