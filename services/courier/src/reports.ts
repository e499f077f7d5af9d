import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { inTransaction } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { nextAttempt } from './incident.ts';
import type { Mail, Send } from './mailer.ts';

export interface ReportsOptions {
  readonly pool: Pool;
  readonly send: Send;
  readonly retryMs: number;
  readonly log: Log;
  readonly now: () => Date;
}

interface ReportRow {
  readonly id: string;
  readonly mail: Mail;
  readonly attempts: number;
}

/** A claimed row comes back by itself if we die with it. */
const LEASE_MS = 120_000;

/** Mails the newest thing that the ledger wants to be mailed as it stands: a daily report. */
export async function tellReport(options: ReportsOptions): Promise<void> {
  const { pool, send, log, now } = options;
  const row = await claim(pool, now());
  if (row === null) return;
  try {
    await send(row.mail);
  } catch (error) {
    log.error('mail failed', { report: row.id, error });
    return giveBack(options, row, error);
  }
  await pool.query('UPDATE outbox SET done_at = ? WHERE id = ?', [now(), row.id]);
}

/** Nobody gets mail: what would have been mailed is closed, and not mailed later either. */
export async function closeReports(pool: Pool, now: Date): Promise<void> {
  await pool.query(
    `UPDATE outbox SET done_at = ?, last_error = 'not configured'
      WHERE kind = 'mail' AND done_at IS NULL`,
    [now],
  );
}

async function claim(pool: Pool, now: Date): Promise<ReportRow | null> {
  return inTransaction(pool, async (tx) => {
    const [[row]] = await tx.query<RowDataPacket[]>(
      `SELECT id, payload, attempts FROM outbox
        WHERE kind = 'mail' AND done_at IS NULL AND next_attempt_at <= ?
        ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [now],
    );
    if (row === undefined) return null;
    const lease = new Date(now.getTime() + LEASE_MS);
    await tx.query('UPDATE outbox SET next_attempt_at = ? WHERE id = ?', [lease, row['id']]);
    return { id: String(row['id']), mail: mailOf(row), attempts: Number(row['attempts']) };
  });
}

function mailOf(row: RowDataPacket): Mail {
  const payload = parseJsonText(Buffer.from(String(row['payload'])));
  const fields = isRecord(payload) ? payload : {};
  const subject = textAt(fields, 'subject') ?? 'report';
  return { subject, text: textAt(fields, 'text') ?? '', thread: 'report' };
}

async function giveBack(
  { pool, retryMs, now }: ReportsOptions,
  { id, attempts }: ReportRow,
  failure: unknown,
): Promise<void> {
  // The code alone: the message may quote what the mail server said about addresses.
  const error = failure instanceof Error && 'code' in failure ? String(failure.code) : 'unknown';
  const until = nextAttempt(attempts + 1, now(), retryMs);
  await pool.query(
    `UPDATE outbox SET attempts = attempts + 1, last_error = ?, next_attempt_at = ?
      WHERE id = ?`,
    [error.slice(0, 300), until, id],
  );
}
