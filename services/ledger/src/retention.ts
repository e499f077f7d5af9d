import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';

export interface Retained {
  readonly uptoSeq: bigint;
  readonly emptied: number;
}

/**
 * Empties the evidence of what was booked before a moment, and leaves a note for the audit. Identity,
 * data, chain and books stay. Needs the owner of the database: no service may delete evidence.
 */
export async function emptyEvidence(pool: Pool, before: Date, now: Date): Promise<Retained> {
  return inTransaction(pool, async (tx) => {
    // No row may be left out of the note that is booked meanwhile: the note goes by seq.
    const [[row]] = await tx.query<RowDataPacket[]>(
      `SELECT COALESCE(MIN(seq) - 1, (SELECT MAX(seq) FROM inbox), 0) AS seq
        FROM inbox WHERE booked_at >= ?`,
      [before],
    );
    const upto = String(row?.['seq'] ?? 0);
    const [{ affectedRows }] = await tx.query<ResultSetHeader>(
      'DELETE e FROM evidence e JOIN inbox i ON i.event_id = e.event_id WHERE i.seq <= ?',
      [upto],
    );
    if (affectedRows > 0) {
      await tx.query('INSERT INTO retention_runs (upto_seq, emptied, run_at) VALUES (?, ?, ?)', [
        upto,
        affectedRows,
        now,
      ]);
    }
    return { uptoSeq: BigInt(upto), emptied: affectedRows };
  });
}
