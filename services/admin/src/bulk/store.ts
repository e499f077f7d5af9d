import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';

/** What became of one purchase of a bulk. */
export type Outcome = 'updated' | 'unchanged' | 'partial' | 'failed' | 'connection' | 'cancelled';

export interface Item {
  readonly jobId: string;
  readonly purchaseId: string;
  /** The purchase's slowest server: whoever waits for that one waits in this lane. */
  readonly lane: string;
}

/** What to a purchase without a server: it fails, and is counted. */
export const NO_LANE = 'none';

/** Those that nobody has concluded yet, of this job or of all that run. */
export async function pendingItems(
  pool: Pool,
  jobId: string | null = null,
): Promise<readonly Item[]> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT i.job_id, i.purchase_id, i.lane
       FROM refresh_jobs j JOIN refresh_job_items i ON i.job_id = j.id
      WHERE j.state = 'running' AND i.outcome IS NULL AND (? IS NULL OR j.id = ?)`,
    [jobId, jobId],
  );
  return rows.map((row) => ({
    jobId: String(row['job_id']),
    purchaseId: String(row['purchase_id']),
    lane: String(row['lane']),
  }));
}

/** False: concluded or cancelled already. */
export async function isPending(pool: Pool, { jobId, purchaseId }: Item): Promise<boolean> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT 1 FROM refresh_job_items WHERE job_id = ? AND purchase_id = ? AND outcome IS NULL`,
    [jobId, purchaseId],
  );
  return rows.length > 0;
}

export interface Conclusion {
  readonly outcome: Outcome;
  readonly error: string | null;
  readonly links: number;
  /** The servers that did not give their links. */
  readonly failedServers: readonly string[];
}

/** Once: who comes second changes nothing. What was under way when its job was cancelled has its own end. */
export async function concludeItem(
  tx: Pool | PoolConnection,
  { jobId, purchaseId }: Item,
  { outcome, error, links, failedServers }: Conclusion,
): Promise<void> {
  await tx.query(
    `UPDATE refresh_job_items SET outcome = ?, error = ?, links = ?, failed_servers = ?
      WHERE job_id = ? AND purchase_id = ? AND (outcome IS NULL OR outcome = 'cancelled')`,
    [outcome, error, links, failedServers.join(), jobId, purchaseId],
  );
}

/** Ends this job, or each job, that has no item to be concluded any more; true where there was one. */
export async function finishIfDone(
  tx: Pool | PoolConnection,
  jobId: string | null,
  at: Date,
): Promise<boolean> {
  if (jobId !== null && (await hasPending(tx, jobId))) return false;
  const [{ affectedRows }] = await tx.query<ResultSetHeader>(
    `UPDATE refresh_jobs j SET j.state = 'finished', j.finished_at = ?
      WHERE (? IS NULL OR j.id = ?) AND j.state = 'running'
        AND NOT EXISTS (SELECT 1 FROM refresh_job_items i WHERE i.job_id = j.id AND i.outcome IS NULL)`,
    [at, jobId, jobId],
  );
  return affectedRows > 0;
}

/** Before the UPDATE, which locks what it looks at, and which every purchase would make. */
async function hasPending(tx: Pool | PoolConnection, jobId: string): Promise<boolean> {
  const [rows] = await tx.query<RowDataPacket[]>(
    'SELECT 1 FROM refresh_job_items WHERE job_id = ? AND outcome IS NULL LIMIT 1',
    [jobId],
  );
  return rows.length > 0;
}

/**
 * What waits is counted as cancelled. What is under way goes on, and is counted by what becomes of it as
 * soon as that is known: until then as cancelled too. False: nothing to cancel.
 */
export async function cancelJob(pool: Pool, jobId: string, at: Date): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const [{ affectedRows }] = await tx.query<ResultSetHeader>(
      `UPDATE refresh_jobs SET state = 'cancelled', finished_at = ? WHERE id = ? AND state = 'running'`,
      [at, jobId],
    );
    if (affectedRows === 0) return false;
    await tx.query(
      `UPDATE refresh_job_items SET outcome = 'cancelled' WHERE job_id = ? AND outcome IS NULL`,
      [jobId],
    );
    return true;
  });
}

/** The job that runs now, if any. */
export async function runningJob(pool: Pool): Promise<string | null> {
  const [[row]] = await pool.query<RowDataPacket[]>(
    `SELECT id FROM refresh_jobs WHERE state = 'running' ORDER BY started_at LIMIT 1`,
  );
  return row === undefined ? null : String(row['id']);
}
