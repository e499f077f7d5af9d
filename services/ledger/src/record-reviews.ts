import type { PoolConnection } from 'mysql2/promise';
import type { Verdict } from './decide.ts';
import { insert } from './sql.ts';

/** The same id with other content: only a person can close it. */
const CONFLICT = 'conflict';

interface Row {
  readonly eventId: string;
  readonly subject: string;
  readonly reason: string;
  readonly end: 'open' | 'settled' | 'dismissed';
  readonly decisionId: string | null;
}

/**
 * Opens a row for each reason, and closes what is explained or decided now. Verdict by verdict: what a
 * batch opens it may also close, as if its events had come one by one.
 */
export async function recordReviews(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
  at: Date,
): Promise<void> {
  const opened = new Map<string, Row>();
  for (const verdict of verdicts) {
    for (const row of opensOf(verdict)) {
      const key = JSON.stringify([row.eventId, row.reason]);
      if (!opened.has(key)) opened.set(key, row);
    }
    for (const [key, row] of opened) opened.set(key, closedBy(verdict, row));
  }
  await closeEarlier(tx, verdicts, at);
  await insert(
    tx,
    `INSERT INTO reviews (event_id, subject, reason, state, opened_at, closed_at, decision_id) VALUES ?
      ON DUPLICATE KEY UPDATE id = id`,
    [...opened.values()].map((row) => {
      const { eventId, subject, reason, end, decisionId } = row;
      const closedAt = end === 'open' ? null : at;
      return [eventId, subject, reason, end, at, closedAt, decisionId];
    }),
  );
}

function opensOf(verdict: Verdict): readonly Row[] {
  return reasonsOf(verdict).map(([subject, reason]) => ({
    eventId: verdict.event.id,
    subject,
    reason,
    end: 'open',
    decisionId: null,
  }));
}

function reasonsOf(verdict: Verdict): readonly (readonly [subject: string, reason: string])[] {
  const { subject } = verdict.event;
  if (verdict.kind === 'conflict') return [[subject, CONFLICT]];
  if (verdict.kind === 'duplicate')
    return verdict.review === null ? [] : [[subject, verdict.review]];
  return [...verdict.reviews].flatMap(([, reason]) => (reason === null ? [] : [[subject, reason]]));
}

function closedBy(verdict: Verdict, row: Row): Row {
  if (verdict.kind !== 'new' || row.end !== 'open') return row;
  const { closes, reviews, id } = verdict;
  if (closes !== null && closes.eventId === row.eventId && closes.reason === row.reason)
    return { ...row, end: closes.end, decisionId: id };
  const isExplained = row.reason !== CONFLICT && reviews.get(row.subject) === null;
  return isExplained ? { ...row, end: 'settled' } : row;
}

/** Rows of earlier batches. */
async function closeEarlier(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
  at: Date,
): Promise<void> {
  const decisions = verdicts.filter((verdict) => verdict.kind === 'new');
  const explained = decisions.flatMap(({ reviews }) =>
    [...reviews].flatMap(([subject, reason]) => (reason === null ? [subject] : [])),
  );
  if (explained.length > 0) {
    await tx.query(
      `UPDATE reviews SET state = 'settled', closed_at = ?
        WHERE state = 'open' AND subject IN (?) AND reason <> '${CONFLICT}'`,
      [at, explained],
    );
  }
  for (const { id, closes } of decisions) {
    if (closes === null) continue;
    await tx.query(
      `UPDATE reviews SET state = ?, closed_at = ?, decision_id = ?
        WHERE event_id = ? AND reason = ? AND state = 'open'`,
      [closes.end, at, id, closes.eventId, closes.reason],
    );
  }
}
