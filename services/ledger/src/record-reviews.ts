import type { PoolConnection } from 'mysql2/promise';
import type { Decision, Verdict } from './decide.ts';
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
  earlier: ReadonlySet<string>,
): Promise<void> {
  const opened = new Map<string, Row>();
  for (const verdict of verdicts) {
    for (const row of opensOf(verdict)) {
      const key = JSON.stringify([row.eventId, row.reason]);
      if (!opened.has(key)) opened.set(key, row);
    }
    for (const [key, row] of opened) opened.set(key, closedBy(verdict, row));
  }
  await closeEarlier(tx, verdicts, at, earlier);
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
  const { id: eventId, subject } = verdict.event;
  if (verdict.kind === 'conflict') return [rowOf(eventId, subject, CONFLICT)];
  if (verdict.kind === 'duplicate')
    return verdict.review === null ? [] : [rowOf(eventId, subject, verdict.review)];
  if (verdict.kind !== 'new') return [];
  return [...verdict.reviews].flatMap(([whose, reason]) => {
    if (reason === null) return [];
    // An order may be what makes a payment strange: the row is that payment's all the same.
    const payment = verdict.payments.get(whose)?.event?.id;
    return [rowOf(whose === subject ? eventId : (payment ?? eventId), whose, reason)];
  });
}

function rowOf(eventId: string, subject: string, reason: string): Row {
  return { eventId, subject, reason, end: 'open', decisionId: null };
}

function closedBy(verdict: Verdict, row: Row): Row {
  if (verdict.kind !== 'new' || row.end !== 'open') return row;
  const { closes, reviews, id } = verdict;
  if (closes !== null && closes.eventId === row.eventId && closes.reason === row.reason)
    return { ...row, end: closes.end, decisionId: id };
  const isExplained = row.reason !== CONFLICT && reviews.get(row.subject) === null;
  return isExplained || isReplaced(verdict, row) ? { ...row, end: 'settled' } : row;
}

/** A payment has one reason at a time: with its order known, it is no longer that there is none. */
function isReplaced({ payments, reviews }: Decision, { subject, reason }: Row): boolean {
  const now = reviews.get(subject) ?? reason;
  return payments.has(subject) && reason !== CONFLICT && now !== reason;
}

/** Rows of earlier batches. */
async function closeEarlier(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
  at: Date,
  earlier: ReadonlySet<string>,
): Promise<void> {
  const decisions = verdicts.filter((verdict) => verdict.kind === 'new');
  const explained = decisions.flatMap(({ reviews }) =>
    [...reviews].flatMap(([subject, reason]) =>
      reason === null && earlier.has(subject) ? [subject] : [],
    ),
  );
  if (explained.length > 0) {
    await tx.query(
      `UPDATE reviews SET state = 'settled', closed_at = ?
        WHERE state = 'open' AND subject IN (?) AND reason <> '${CONFLICT}'`,
      [at, explained],
    );
  }
  const replaced = new Map(
    decisions.flatMap(replacing).filter(([subject]) => earlier.has(subject)),
  );
  if (replaced.size > 0) {
    await tx.query(
      `UPDATE reviews SET state = 'settled', closed_at = ?
        WHERE state = 'open' AND subject IN (?) AND reason <> '${CONFLICT}'
          AND (subject, reason) NOT IN (?)`,
      [at, [...replaced.keys()], [...replaced]],
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

function replacing({ payments, reviews }: Decision): readonly (readonly [string, string])[] {
  return [...reviews].flatMap(([subject, reason]) =>
    reason !== null && payments.has(subject) ? [[subject, reason]] : [],
  );
}
