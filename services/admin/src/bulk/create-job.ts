import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';
import { finishIfDone, NO_LANE } from './store.ts';

export interface NewJob {
  readonly id: string;
  readonly requestedBy: string;
  /** All active purchases, those that are named, or those that another job could not refresh. */
  readonly scope: 'active' | readonly string[] | { readonly retryOf: string };
  readonly at: Date;
  readonly paces: Paces;
}

/** By server id: how many purchases it bears at once. */
export type Paces = ReadonlyMap<string, number>;

/** Takes the ids and then the paces; a server that is not configured is answered for at once. */
const PACE = 'COALESCE(ELT(FIELD(s.server_id, ?), ?) + 0, 1000)';
const LANE = `COALESCE((SELECT s.server_id FROM purchase_servers s WHERE s.purchase_id = p.id
                         ORDER BY ${PACE}, s.position, s.server_id LIMIT 1), '${NO_LANE}')`;
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

async function insertItems(tx: PoolConnection, job: NewJob): Promise<void> {
  const { id, scope, at, paces } = job;
  const lane = [
    ['', ...paces.keys()],
    [0, ...paces.values()],
  ];
  if (scope === 'active') {
    await tx.query(`${INSERT} WHERE ${ACTIVE}`, [id, ...lane, at]);
  } else if ('retryOf' in scope) {
    await tx.query(`${INSERT} WHERE p.id IN (${RETRIED})`, [id, ...lane, scope.retryOf]);
  } else {
    await tx.query(`${INSERT} WHERE p.id IN (?)`, [id, ...lane, scope]);
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
