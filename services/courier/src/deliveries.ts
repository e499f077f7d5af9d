import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

export type DeliveryKind = 'webhook' | 'telegram';

/** One message that the ledger wrote in the transaction of what it tells of. */
export interface Delivery {
  readonly id: string;
  readonly kind: DeliveryKind;
  /** Whose messages come in their order; null: nobody's. */
  readonly subject: string | null;
  /** As parseJsonText gives it: numbers are texts. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The payload as the ledger wrote it. */
  readonly text: string;
  readonly createdAt: Date;
  /** How often it has failed. */
  readonly attempts: number;
}

/** What became of one attempt. An error is a word of ours: it is shown to people. */
export type Tried =
  | { readonly kind: 'delivered' }
  /** Nothing will ever change that. */
  | { readonly kind: 'final'; readonly error: string }
  | { readonly kind: 'again'; readonly error: string; readonly retryAfterMs: number | null };

export async function markDelivered(pool: Pool, delivery: Delivery, now: Date): Promise<void> {
  const values = [now, delivery.id];
  await pool.query('UPDATE outbox SET done_at = ?, last_error = NULL WHERE id = ?', values);
  await wakeNext(pool, delivery, now);
}

export interface Failure {
  readonly error: string;
  /** False: it was not its turn yet, and that counts for nothing. */
  readonly counts: boolean;
}

export async function markForLater(
  pool: Pool,
  { id, attempts }: Delivery,
  until: Date,
  { error, counts }: Failure,
): Promise<void> {
  await pool.query(
    'UPDATE outbox SET next_attempt_at = ?, attempts = ?, last_error = ? WHERE id = ?',
    [until, attempts + (counts ? 1 : 0), error.slice(0, 300), id],
  );
}

/** `dead`: a person should look at it, and may have it sent again. */
export async function markGivenUp(
  pool: Pool,
  delivery: Delivery,
  now: Date,
  { error, dead }: { readonly error: string; readonly dead: boolean },
): Promise<void> {
  await pool.query(
    `UPDATE outbox SET done_at = ?, dead_at = ?, attempts = attempts + 1, last_error = ? WHERE id = ?`,
    [now, dead ? now : null, error.slice(0, 300), delivery.id],
  );
  await wakeNext(pool, delivery, now);
}

export async function countDead(pool: Pool): Promise<number> {
  const [[row]] = await pool.query<RowDataPacket[]>(
    'SELECT COUNT(*) AS dead FROM outbox WHERE dead_at IS NOT NULL',
  );
  return Number(row?.['dead'] ?? 0);
}

/** All dead messages, or the named ones, are sent again from the beginning. Returns how many. */
export async function replayDead(pool: Pool, now: Date, ids?: readonly string[]): Promise<number> {
  const [result] = await pool.query<ResultSetHeader>(
    `UPDATE outbox SET done_at = NULL, dead_at = NULL, held_until = NULL, attempts = 0,
      next_attempt_at = ? WHERE dead_at IS NOT NULL AND (? OR id IN (?))`,
    [now, ids === undefined, ids ?? ['0']],
  );
  return result.affectedRows;
}

/** Nobody is there to be told: what would have been brought is closed, and not brought later either. */
export async function closeUnwanted(pool: Pool, kind: DeliveryKind, now: Date): Promise<void> {
  await pool.query(
    `UPDATE outbox SET done_at = ?, last_error = 'not configured'
      WHERE kind = ? AND done_at IS NULL LIMIT 1000`,
    [now, kind],
  );
}

/** The next one of the subject need not wait any longer, unless it has been tried and waits for itself. */
async function wakeNext(pool: Pool, { id, kind, subject }: Delivery, now: Date): Promise<void> {
  const [[next]] = await pool.query<RowDataPacket[]>(
    `SELECT id FROM outbox FORCE INDEX (outbox_subject)
      WHERE kind = ? AND subject = ? AND done_at IS NULL AND id > ? ORDER BY id LIMIT 1`,
    [kind, subject, id],
  );
  if (next === undefined) return;
  await pool.query(
    `UPDATE outbox SET next_attempt_at = ?
      WHERE id = ? AND held_until IS NULL AND next_attempt_at > ?`,
    [now, String(next['id']), now],
  );
}
