import { isRecord, parseJsonText } from '@kopeck/core/json';
import { inTransaction } from '@kopeck/runtime/database';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { Delivery, DeliveryKind } from './deliveries.ts';

/** Claimed messages come back by themselves if we die with them; longer than any attempt takes. */
const LEASE_MS = 60_000;
/** For how long a message that fails holds back the later ones of its subject. */
const HOLD_MS = 300_000;

/** So many due messages are looked at in one transaction, to find those whose turn it is. */
const LOOK_AT = 100;
/** A message that waits for another one is looked at again after this, should nobody wake it. */
const ASIDE_MS = 60_000;

/**
 * Takes messages that are due, oldest first, each only when none before it of the same subject is
 * under way or holds it back: such a one is put aside, and its predecessor wakes it. So what a look
 * costs does not grow with what waits. Safe for several couriers at once.
 */
export async function claimDeliveries(
  pool: Pool,
  kind: DeliveryKind,
  limit: number,
  now: Date,
): Promise<readonly Delivery[]> {
  for (;;) {
    const { claimed, looked } = await inTransaction(pool, async (tx) => {
      const due = await lockDue(tx, kind, now);
      const blocked = await blockedOf(tx, due, now);
      const mine = due.filter(({ id }) => !blocked.has(id)).slice(0, limit);
      await lease(tx, mine, now);
      await putAside(tx, blocked, now);
      return { claimed: mine, looked: due.length };
    });
    if (claimed.length > 0 || looked < LOOK_AT) return claimed;
  }
}

/** The indexes are named: on a table that has just filled the optimizer's figures are of an empty one. */
async function lockDue(
  tx: PoolConnection,
  kind: DeliveryKind,
  now: Date,
): Promise<readonly Delivery[]> {
  const [rows] = await tx.query<RowDataPacket[]>(
    `SELECT id, kind, subject, payload, created_at, attempts FROM outbox FORCE INDEX (outbox_due)
      WHERE kind = ? AND done_at IS NULL AND next_attempt_at <= ?
      ORDER BY next_attempt_at, id LIMIT ? FOR UPDATE SKIP LOCKED`,
    [kind, now, LOOK_AT],
  );
  return rows.map(deliveryOf);
}

/** Read after the lock: a predecessor that is settled later wakes what we put aside here. */
async function blockedOf(
  tx: PoolConnection,
  due: readonly Delivery[],
  now: Date,
): Promise<ReadonlyMap<string, Date>> {
  if (due.length === 0) return new Map();
  const [rows] = await tx.query<RowDataPacket[]>(
    `SELECT o.id, (
        SELECT COALESCE(e.held_until, CAST(? AS DATETIME(6))) FROM outbox e FORCE INDEX (outbox_subject)
        WHERE e.kind = o.kind AND e.subject = o.subject AND e.done_at IS NULL AND e.id < o.id
          AND (e.held_until IS NULL OR e.held_until > ?)
        ORDER BY e.id LIMIT 1) AS held_until
      FROM outbox o WHERE o.id IN (?)`,
    [later(now, HOLD_MS), now, due.map(({ id }) => id)],
  );
  const blocked = rows.filter((row) => row['held_until'] !== null);
  return new Map(blocked.map((row) => [String(row['id']), row['held_until'] as Date]));
}

async function lease(tx: PoolConnection, claimed: readonly Delivery[], now: Date): Promise<void> {
  if (claimed.length === 0) return;
  await tx.query(
    `UPDATE outbox SET next_attempt_at = ?, held_until = COALESCE(held_until, ?) WHERE id IN (?)`,
    [later(now, LEASE_MS), later(now, HOLD_MS), claimed.map(({ id }) => id)],
  );
}

/** Until the first of the holds ends, at the latest. */
async function putAside(
  tx: PoolConnection,
  blocked: ReadonlyMap<string, Date>,
  now: Date,
): Promise<void> {
  if (blocked.size === 0) return;
  const ends = [...blocked.values()].map((until) => until.getTime());
  const until = new Date(Math.min(...ends, now.getTime() + ASIDE_MS));
  await tx.query('UPDATE outbox SET next_attempt_at = ? WHERE id IN (?)', [
    until,
    [...blocked.keys()],
  ]);
}

function deliveryOf(row: RowDataPacket): Delivery {
  const text = String(row['payload']);
  const payload = parseJsonText(Buffer.from(text));
  return {
    id: String(row['id']),
    kind: row['kind'] as DeliveryKind,
    subject: row['subject'] as string | null,
    payload: isRecord(payload) ? payload : {},
    text,
    createdAt: row['created_at'] as Date,
    attempts: Number(row['attempts']),
  };
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
