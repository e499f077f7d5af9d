import type { PoolConnection } from 'mysql2/promise';

/** One multi-row INSERT; without rows it is no statement at all. */
export async function insert(
  tx: PoolConnection,
  sql: string,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  if (rows.length > 0) await tx.query(sql, [rows]);
}
