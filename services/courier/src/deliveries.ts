import { isRecord, parseJsonText } from '@kopeck/core/json';
import { inTransaction } from '@kopeck/runtime/database';
import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

export type DeliveryKind = 'webhook' | 'telegram';

/** One message that the ledger wrote in the transaction of what it tells of. */
export interface Delivery {
  readonly id: string;
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

/** Claimed messages come back by themselves if we die with them; longer than any attempt takes. */
const LEASE_MS = 60_000;
/** For how long a message that fails holds back the later ones of its subject. */
const HOLD_MS = 300_000;

/**
 * Takes messages that are due, oldest first, each only when none before it of the same subject is
 * under way or holds it back. Safe for several couriers at once.
 */
export async function claimDeliveries(
  pool: Pool,
  kind: DeliveryKind,
  limit: number,
  now: Date,
): Promise<readonly Delivery[]> {
  const [candidates] = await pool.query<RowDataPacket[]>(
    `SELECT o.id FROM outbox o
      WHERE o.kind = ? AND o.done_at IS NULL AND o.next_attempt_at <= ? AND NOT EXISTS (
        SELECT 1 FROM outbox e WHERE e.kind = o.kind AND e.subject = o.subject AND e.done_at IS NULL
          AND e.id < o.id AND (e.held_until IS NULL OR e.held_until > ?))
      ORDER BY o.next_attempt_at, o.id LIMIT ?`,
    [kind, now, now, limit],
  );
  if (candidates.length === 0) return [];
  return inTransaction(pool, async (tx) => {
    const [rows] = await tx.query<RowDataPacket[]>(
      `SELECT id, payload, created_at, attempts FROM outbox
        WHERE id IN (?) AND done_at IS NULL AND next_attempt_at <= ? FOR UPDATE SKIP LOCKED`,
      [candidates.map((row) => String(row['id'])), now],
    );
    const claimed = rows.map(deliveryOf);
    if (claimed.length > 0) {
      await tx.query(
        `UPDATE outbox SET next_attempt_at = ?, held_until = COALESCE(held_until, ?) WHERE id IN (?)`,
        [later(now, LEASE_MS), later(now, HOLD_MS), claimed.map(({ id }) => id)],
      );
    }
    return claimed;
  });
}

export async function markDelivered(pool: Pool, { id }: Delivery, now: Date): Promise<void> {
  await pool.query('UPDATE outbox SET done_at = ?, last_error = NULL WHERE id = ?', [now, id]);
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
  { id }: Delivery,
  now: Date,
  { error, dead }: { readonly error: string; readonly dead: boolean },
): Promise<void> {
  await pool.query(
    `UPDATE outbox SET done_at = ?, dead_at = ?, attempts = attempts + 1, last_error = ? WHERE id = ?`,
    [now, dead ? now : null, error.slice(0, 300), id],
  );
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

function deliveryOf(row: RowDataPacket): Delivery {
  const text = String(row['payload']);
  const payload = parseJsonText(Buffer.from(text));
  return {
    id: String(row['id']),
    payload: isRecord(payload) ? payload : {},
    text,
    createdAt: row['created_at'] as Date,
    attempts: Number(row['attempts']),
  };
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
