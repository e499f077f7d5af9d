import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { inTransaction } from '@kopeck/runtime/database';
import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

/** One alert that the ledger wrote in the transaction of what it alerts about. */
export interface AlertRow {
  readonly id: string;
  readonly eventId: string;
  /** 'quarantined', 'conflict': alerts of one reason share their mails. */
  readonly reason: string;
  readonly createdAt: Date;
  /** How often its mail has failed. */
  readonly attempts: number;
}

/** Claimed rows come back by themselves if we die with them. */
const LEASE_MS = 120_000;
const BATCH = 500;

/**
 * Takes the oldest rows that are due, so that no other copy of the courier takes them too. The limit
 * keeps a flood from filling our memory; the rest is taken next time.
 */
export async function claimAlerts(pool: Pool, now: Date): Promise<readonly AlertRow[]> {
  return inTransaction(pool, async (tx) => {
    const [rows] = await tx.query<RowDataPacket[]>(
      `SELECT id, event_id, payload, created_at, attempts FROM outbox
        WHERE kind = 'alert' AND done_at IS NULL AND next_attempt_at <= ?
        ORDER BY next_attempt_at, id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
      [now],
    );
    const alerts = rows.map(alertOf);
    if (alerts.length > 0) {
      await tx.query('UPDATE outbox SET next_attempt_at = ? WHERE id IN (?)', [
        new Date(now.getTime() + LEASE_MS),
        alerts.map(({ id }) => id),
      ]);
    }
    return alerts;
  });
}

export async function postpone(
  pool: Pool,
  alerts: readonly AlertRow[],
  until: Date,
): Promise<void> {
  await update(pool, 'next_attempt_at = ?', [until], alerts);
}

export async function markDone(pool: Pool, alerts: readonly AlertRow[], now: Date): Promise<void> {
  await update(pool, 'done_at = ?', [now], alerts);
}

export async function markFailed(
  pool: Pool,
  alerts: readonly AlertRow[],
  { until, error }: { until: Date; error: string },
): Promise<void> {
  await update(
    pool,
    'attempts = attempts + 1, last_error = ?, next_attempt_at = ?',
    [error.slice(0, 300), until],
    alerts,
  );
}

async function update(
  pool: Pool,
  set: string,
  values: readonly unknown[],
  alerts: readonly AlertRow[],
): Promise<void> {
  for (let at = 0; at < alerts.length; at += BATCH) {
    const ids = alerts.slice(at, at + BATCH).map(({ id }) => id);
    await pool.query<ResultSetHeader>(
      `UPDATE outbox SET ${set} WHERE id IN (?) AND done_at IS NULL`,
      [...values, ids],
    );
  }
}

function alertOf(row: RowDataPacket): AlertRow {
  const payload = parseJsonText(Buffer.from(String(row['payload'])));
  const reason = isRecord(payload) ? textAt(payload, 'reason') : null;
  return {
    id: String(row['id']),
    eventId: String(row['event_id']),
    reason: reason ?? 'unnamed',
    createdAt: row['created_at'] as Date,
    attempts: Number(row['attempts']),
  };
}
