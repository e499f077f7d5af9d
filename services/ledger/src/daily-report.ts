import type { Pool, RowDataPacket } from 'mysql2/promise';
import { inTransaction, isDuplicateKey, isUnavailable } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import { report, reportText, type ReportLine } from './report.ts';

export interface DailyReportOptions {
  readonly pool: Pool;
  /** From this hour of the day on, UTC, the report of the day before is due. */
  readonly hour: number;
  readonly now: () => Date;
}

const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 30_000;

export interface DailyReports extends Omit<DailyReportOptions, 'hour'> {
  /** As configured: 0 to 23, or off. */
  readonly hour: string;
  readonly log: Log;
}

/** Looks now and twice a minute. Returns what stops it. */
export function startDailyReports({ hour, log, ...options }: DailyReports): () => void {
  if (hour === 'off') return () => undefined;
  const look = (): void =>
    void writeDailyReport({ ...options, hour: Number(hour) }).catch((error: unknown) => {
      if (!isUnavailable(error)) log.error('the daily report failed', { error });
    });
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

/**
 * Puts the report of yesterday into the outbox when it is due, and says whether it did. The row of the day
 * is written in the same transaction: of several copies one wins, and a report is neither lost nor doubled.
 */
export async function writeDailyReport({ pool, hour, now }: DailyReportOptions): Promise<boolean> {
  const at = now();
  if (at.getUTCHours() < hour) return false;
  const to = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()));
  const from = new Date(to.getTime() - DAY_MS);
  const day = from.toISOString().slice(0, 10);
  const [known] = await pool.query<RowDataPacket[]>('SELECT 1 FROM daily_reports WHERE day = ?', [
    day,
  ]);
  if (known.length > 0) return false;

  const text = mailText(day, await report(pool, from, to), await openReviews(pool));
  const payload = JSON.stringify({ subject: `report of ${day}`, text });
  try {
    return await inTransaction(pool, async (tx) => {
      await tx.query('INSERT INTO daily_reports (day, written_at) VALUES (?, ?)', [day, at]);
      await tx.query(
        `INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at) VALUES (?)`,
        [[`report.${day}`, 'mail', payload, at, at]],
      );
      return true;
    });
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

function mailText(day: string, lines: readonly ReportLine[], open: number): string {
  const table = lines.length === 0 ? 'Nothing has reached the books.' : reportText(lines);
  const people = open === 0 ? 'Nobody need look at anything.' : `${open} wait: kopeck review list`;
  return `What reached the books on ${day} (UTC):\n\n${table}\n\nReviews: ${people}\n`;
}

async function openReviews(pool: Pool): Promise<number> {
  const [[row]] = await pool.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS open FROM reviews WHERE state = 'open'",
  );
  return Number(row?.['open'] ?? 0);
}
