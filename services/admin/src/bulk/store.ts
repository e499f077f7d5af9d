import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';

/** What became of one purchase of a bulk. */
export type Outcome = 'updated' | 'unchanged' | 'partial' | 'failed' | 'connection' | 'cancelled';

export interface Item {
  readonly jobId: string;
  readonly purchaseId: string;
  /** The purchase's first server: whoever waits for that one waits in this lane. */
  readonly lane: string;
}

export interface NewJob {
  readonly id: string;
  readonly requestedBy: string;
  /** All active purchases, those that are named, or those that another job could not refresh. */
  readonly scope: 'active' | readonly string[] | { readonly retryOf: string };
  readonly at: Date;
}

/** What to a purchase without a server: it fails, and is counted. */
export const NO_LANE = 'none';

const LANE = `COALESCE((SELECT s.server_id FROM purchase_servers s WHERE s.purchase_id = p.id
                         ORDER BY s.position, s.server_id LIMIT 1), '${NO_LANE}')`;
const RETRIED = `SELECT purchase_id FROM refresh_job_items
                  WHERE job_id = ? AND outcome IN ('partial', 'failed', 'connection', 'cancelled')`;

/** Returns how many purchases it has. One of the same id that is there already is left as it is. */
export async function createJob(pool: Pool, job: NewJob): Promise<number> {
  const { id, scope, at, requestedBy } = job;
  const retryOf = typeof scope === 'object' && 'retryOf' in scope ? scope.retryOf : null;
  return inTransaction(pool, async (tx) => {
    const known = await totalOf(tx, id);
    if (known !== null) return known;
    await tx.query(
      `INSERT INTO refresh_jobs (id, requested_by, state, total, retry_of, started_at)
       VALUES (?, ?, 'running', 0, ?, ?)`,
      [id, requestedBy, retryOf, at],
    );
    await insertItems(tx, job);
    await tx.query(
      `UPDATE refresh_jobs
          SET total = (SELECT COUNT(*) FROM refresh_job_items WHERE job_id = ?)
        WHERE id = ?`,
      [id, id],
    );
    await finishIfDone(tx, id, at);
    return (await totalOf(tx, id)) ?? 0;
  });
}

const INSERT = `INSERT INTO refresh_job_items (job_id, purchase_id, lane)
                SELECT ?, p.id, ${LANE} FROM purchases p`;

/** Who has run out is left out: his panel has ended him, and nothing is to be mended. */
const ACTIVE = 'p.is_active AND (p.expires_at IS NULL OR p.expires_at > ?)';

export async function countActive(pool: Pool, at: Date): Promise<number> {
  const [[row]] = await pool.query<RowDataPacket[]>(
    `SELECT COUNT(*) AS total FROM purchases p WHERE ${ACTIVE}`,
    [at],
  );
  return Number(row?.['total'] ?? 0);
}

async function insertItems(tx: PoolConnection, { id, scope, at }: NewJob): Promise<void> {
  if (scope === 'active') {
    await tx.query(`${INSERT} WHERE ${ACTIVE}`, [id, at]);
  } else if ('retryOf' in scope) {
    await tx.query(`${INSERT} WHERE p.id IN (${RETRIED})`, [id, scope.retryOf]);
  } else {
    await tx.query(`${INSERT} WHERE p.id IN (?)`, [id, scope]);
    await insertUnknown(tx, id, scope);
  }
}

/** Purchases that are named and do not exist have failed already, and are counted. */
async function insertUnknown(
  tx: PoolConnection,
  id: string,
  named: readonly string[],
): Promise<void> {
  const [rows] = await tx.query<RowDataPacket[]>('SELECT id FROM purchases WHERE id IN (?)', [
    named,
  ]);
  const known = new Set(rows.map((row) => String(row['id'])));
  const unknown = named.filter((each) => !known.has(each));
  if (unknown.length === 0) return;
  await tx.query(
    'INSERT INTO refresh_job_items (job_id, purchase_id, lane, outcome, error) VALUES ?',
    [unknown.map((each) => [id, each, NO_LANE, 'failed', 'purchase_not_found'])],
  );
}

async function totalOf(tx: PoolConnection, id: string): Promise<number | null> {
  const [[row]] = await tx.query<RowDataPacket[]>('SELECT total FROM refresh_jobs WHERE id = ?', [
    id,
  ]);
  return row === undefined ? null : Number(row['total']);
}

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
}

/** Once: who comes second changes nothing. */
export async function concludeItem(
  tx: Pool | PoolConnection,
  { jobId, purchaseId }: Item,
  { outcome, error, links }: Conclusion,
): Promise<void> {
  await tx.query(
    `UPDATE refresh_job_items SET outcome = ?, error = ?, links = ?
      WHERE job_id = ? AND purchase_id = ? AND outcome IS NULL`,
    [outcome, error, links, jobId, purchaseId],
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

/** What is under way goes on to its end; what waits is counted as cancelled. False: nothing to cancel. */
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
