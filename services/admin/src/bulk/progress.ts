import type { Pool, RowDataPacket } from 'mysql2/promise';
import { NO_LANE } from './store.ts';

export interface ServerProgress {
  readonly total: number;
  readonly done: number;
  /** This server has not given its links, whatever the others of the purchase have. */
  readonly failed: number;
}

/** How far a bulk is. `ok + partial + failed + connectionErrors + cancelled = done`, in the end `total`. */
export interface Progress {
  readonly jobId: string;
  readonly state: 'running' | 'finished' | 'cancelled';
  readonly requestedBy: string;
  readonly retryOf: string | null;
  readonly total: number;
  readonly done: number;
  /** Updated and unchanged: all of the purchase's servers have answered. */
  readonly ok: number;
  readonly unchanged: number;
  /** Some servers have not answered, and the old links of these are kept. */
  readonly partial: number;
  readonly failed: number;
  /** Panels that could not be reached, or not in time. The old links are kept, and that is no success. */
  readonly connectionErrors: number;
  readonly cancelled: number;
  readonly byError: Readonly<Record<string, number>>;
  /** A purchase counts at each of its servers. */
  readonly byServer: Readonly<Record<string, ServerProgress>>;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** Null before the first one is done. */
  readonly etaSeconds: number | null;
}

export async function progressOf(pool: Pool, jobId: string, now: Date): Promise<Progress | null> {
  const [[job]] = await pool.query<RowDataPacket[]>('SELECT * FROM refresh_jobs WHERE id = ?', [
    jobId,
  ]);
  if (job === undefined) return null;
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT outcome, error, COUNT(*) AS items FROM refresh_job_items
      WHERE job_id = ? GROUP BY outcome, error`,
    [jobId],
  );
  const groups = rows.map((row) => ({
    outcome: row['outcome'] === null ? null : String(row['outcome']),
    error: row['error'] === null ? null : String(row['error']),
    items: Number(row['items']),
  }));
  const count = (...outcomes: readonly string[]): number =>
    sum(groups.filter(({ outcome }) => outcome !== null && outcomes.includes(outcome)));
  const total = Number(job['total']);
  const done = sum(groups.filter(({ outcome }) => outcome !== null));
  const startedAt = new Date(job['started_at'] as string);
  const isRunning = job['state'] === 'running';
  return {
    jobId,
    state: job['state'] as Progress['state'],
    requestedBy: String(job['requested_by']),
    retryOf: job['retry_of'] === null ? null : String(job['retry_of']),
    total,
    done,
    ok: count('updated', 'unchanged'),
    unchanged: count('unchanged'),
    partial: count('partial'),
    failed: count('failed'),
    connectionErrors: count('connection'),
    cancelled: count('cancelled'),
    byError: tally(groups),
    byServer: await serversOf(pool, jobId),
    startedAt: startedAt.toISOString(),
    finishedAt:
      job['finished_at'] === null ? null : new Date(job['finished_at'] as string).toISOString(),
    etaSeconds: isRunning ? etaOf({ done, total }, now.getTime() - startedAt.getTime()) : 0,
  };
}

interface Group {
  readonly outcome: string | null;
  readonly error: string | null;
  readonly items: number;
}

function sum(groups: readonly Group[]): number {
  return groups.reduce((total, { items }) => total + items, 0);
}

function tally(groups: readonly Group[]): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const { error, items } of groups)
    if (error !== null) errors[error] = (errors[error] ?? 0) + items;
  return errors;
}

async function serversOf(pool: Pool, jobId: string): Promise<Progress['byServer']> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT COALESCE(s.server_id, '${NO_LANE}') AS server, COUNT(*) AS total, COUNT(i.outcome) AS done,
            COUNT(IF(s.server_id IS NULL, i.outcome = 'failed',
                     FIND_IN_SET(s.server_id, i.failed_servers) > 0) OR NULL) AS failed
       FROM refresh_job_items i LEFT JOIN purchase_servers s USING (purchase_id)
      WHERE i.job_id = ? GROUP BY s.server_id ORDER BY s.server_id`,
    [jobId],
  );
  return Object.fromEntries(
    rows.map(({ server, total, done, failed }) => [
      String(server),
      { total: Number(total), done: Number(done), failed: Number(failed) },
    ]),
  );
}

function etaOf({ done, total }: { done: number; total: number }, elapsedMs: number): number | null {
  return done === 0 ? null : Math.ceil(((elapsedMs / done) * (total - done)) / 1_000);
}
