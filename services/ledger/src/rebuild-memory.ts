import { escapeId } from 'mysql2/promise';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';

/**
 * What no event tells: which contents were refused, what was delivered already, what of the evidence was
 * emptied, and rows that a repeat has opened for review. Copied as it is, so that nothing is told twice.
 */
const MEMORY = [
  { table: 'conflicts', key: ['event_id', 'contenthash'] },
  { table: 'repeats', key: ['event_id'] },
  { table: 'retention_runs', key: ['id'] },
  { table: 'daily_reports', key: ['day'] },
  { table: 'outbox', key: ['id'] },
  { table: 'outbox_subjects', key: ['subject'] },
  { table: 'reviews', key: ['id'] },
  { table: 'svix_messages', key: ['partner', 'message_id'] },
] as const;

const PAGE = 500;

export async function copyMemory(from: PoolConnection, into: Pool): Promise<void> {
  for (const { table, key } of MEMORY) {
    await into.query(`DELETE FROM ${table}`);
    for (let offset = 0; ; offset += PAGE) {
      const [rows] = await from.query<RowDataPacket[]>(
        `SELECT * FROM ${table} ORDER BY ${key.join(', ')} LIMIT ${PAGE} OFFSET ${offset}`,
      );
      const [first] = rows;
      if (first === undefined) break;
      const columns = Object.keys(first);
      const names = columns.map((column) => escapeId(column)).join(', ');
      await into.query(`INSERT INTO ${table} (${names}) VALUES ?`, [
        rows.map((row) => columns.map((column) => row[column] as unknown)),
      ]);
    }
  }
}
