import type { DatabaseSync } from 'node:sqlite';

/** All or nothing. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** The first column of the first row; 0 where there is none. */
export function numberOf(db: DatabaseSync, sql: string): () => number {
  const statement = db.prepare(sql);
  return () => Number(Object.values(statement.get() ?? {})[0] ?? 0);
}
