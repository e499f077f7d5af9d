import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import type { Pool } from 'mysql2/promise';
import { nextAttempt } from './incident.ts';
import type { Send } from './mailer.ts';
import type { Memory } from './memory.ts';
import { claimAlerts, markDone, markFailed, postpone } from './outbox.ts';
import type { AlertRow } from './outbox.ts';
import { alertMail } from './templates.ts';

export interface AlertsOptions {
  readonly pool: Pool;
  /** By reason: when its newest mail went out. */
  readonly mailedAt: Memory<string>;
  readonly send: Send;
  readonly digestMinutes: number;
  readonly retryMs: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

const ROWS_PER_MAIL = 10_000;
const IDS_PER_MAIL = 50;
const MINUTE_MS = 60_000;

/**
 * Mails what the ledger has put into the outbox. The first alert of a reason goes out at once; what
 * comes within the digest's minutes after a mail waits and shares the next one. Throws while the
 * database is away.
 */
export async function tellAlerts(options: AlertsOptions): Promise<void> {
  const waiting = new Map<string, AlertRow[]>();
  for (let taken = 0; taken < ROWS_PER_MAIL;) {
    const rows = await claimAlerts(options.pool, options.now());
    if (rows.length === 0) break;
    taken += rows.length;
    for (const [reason, alerts] of Map.groupBy(rows, (row) => row.reason)) {
      const until = quietUntil(options, reason);
      if (until !== null) await postpone(options.pool, alerts, until);
      else waiting.set(reason, [...(waiting.get(reason) ?? []), ...alerts]);
    }
  }
  for (const [reason, alerts] of waiting) await tellReason(options, reason, alerts);
}

/** Null: a mail may go out now. */
function quietUntil({ mailedAt, digestMinutes, now }: AlertsOptions, reason: string): Date | null {
  const last = mailedAt.get(reason);
  if (last === undefined) return null;
  const until = new Date(Date.parse(last) + digestMinutes * MINUTE_MS);
  return until > now() ? until : null;
}

async function tellReason(
  options: AlertsOptions,
  reason: string,
  alerts: readonly AlertRow[],
): Promise<void> {
  const { pool, mailedAt, send, digestMinutes, log, metrics, now } = options;
  const since = new Date(Math.min(...alerts.map(({ createdAt }) => createdAt.getTime())));
  const eventIds = alerts.slice(0, IDS_PER_MAIL).map(({ eventId }) => eventId);
  try {
    await send(alertMail({ reason, count: alerts.length, eventIds, since, digestMinutes }));
  } catch (error) {
    log.error('mail failed', { reason, alerts: alerts.length, error });
    metrics.count('kopeck_mails_total', { kind: reason, message: 'alert', result: 'failed' });
    return giveBack(options, alerts, error);
  }
  metrics.count('kopeck_mails_total', { kind: reason, message: 'alert', result: 'sent' });
  mailedAt.set(reason, now().toISOString());
  await markDone(pool, alerts, now());
}

/** Rows that have failed equally often wait equally long. */
async function giveBack(
  { pool, retryMs, now }: AlertsOptions,
  alerts: readonly AlertRow[],
  failure: unknown,
): Promise<void> {
  // The code alone: the message may quote what the mail server said about addresses.
  const error = failure instanceof Error && 'code' in failure ? String(failure.code) : 'unknown';
  for (const [attempts, rows] of Map.groupBy(alerts, (row) => row.attempts)) {
    const until = nextAttempt(attempts + 1, now(), retryMs);
    await markFailed(pool, rows, { until, error });
  }
}
