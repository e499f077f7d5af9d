import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { Decision } from './decide.ts';
import {
  languageOf,
  messageId,
  noticesOf,
  subscriptionNotices,
  toTell,
  updateNotices,
  type Notice,
} from './notices.ts';
import { recordSubscriptions } from './record-subscriptions.ts';
import { insert, type Row } from './sql.ts';

interface Heard {
  readonly sequence: bigint;
  readonly told: string;
}

type Caused = Notice & { readonly eventId: string };

/**
 * What the batch gives to tell, written in its own transaction: no payment is booked in silence, and
 * nobody hears of one that is not. A message has the next number of its subject.
 */
export async function recordNotices(
  tx: PoolConnection,
  decisions: readonly Decision[],
  at: Date,
  earlier: ReadonlySet<string>,
): Promise<void> {
  const subscribed = await recordSubscriptions(tx, decisions, at, earlier);
  const subjects = decisions.flatMap(({ payments }) => [...payments.keys()]);
  const heard = await hear(
    tx,
    subjects.filter((subject) => earlier.has(subject)),
  );
  const caused = paymentNotices(decisions, heard);
  const last = decisions.findLast(({ payments }) => payments.size > 0);
  const states = decisions.flatMap(({ payments }) => [...payments.values()]);
  for (const change of subscribed) {
    const eventId = last?.event.id ?? '';
    const notices = subscriptionNotices(change, languageOf(change.user, states));
    caused.push(...notices.map((notice) => ({ ...notice, eventId })));
  }
  for (const { event } of decisions) {
    caused.push(...updateNotices(event).map((notice) => ({ ...notice, eventId: event.id })));
  }

  caused.push(...(await belowZero(tx, decisions)));
  await hear(
    tx,
    caused.map(({ subject }) => subject),
    heard,
  );
  await insert(
    tx,
    `INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at, subject) VALUES ?`,
    caused.map((notice) => rowOf(notice, heard, at)),
  );
  await insert(
    tx,
    `INSERT INTO outbox_subjects (subject, sequence, told) VALUES ?
      ON DUPLICATE KEY UPDATE sequence = VALUES(sequence), told = VALUES(told)`,
    [...heard].map(([subject, { sequence, told }]) => [subject, sequence.toString(), told]),
  );
}

/** In the order of the decisions: a payment may be paid and given back within one batch. */
function paymentNotices(decisions: readonly Decision[], heard: Map<string, Heard>): Caused[] {
  return decisions.flatMap(({ event, payments }) =>
    [...payments].flatMap(([subject, state]) => {
      const { sequence, told } = heard.get(subject) ?? NOTHING;
      heard.set(subject, { sequence, told: toTell(state) || told });
      return noticesOf(subject, state, told).map((notice) => ({ ...notice, eventId: event.id }));
    }),
  );
}

/** Whoever has spent what was taken back owes it now: a person must know. */
async function belowZero(
  tx: PoolConnection,
  decisions: readonly Decision[],
): Promise<readonly Caused[]> {
  const takenFrom = new Map(
    decisions.flatMap(({ event, postings }) =>
      postings
        .filter(({ account, amount }) => account.startsWith('user:') && amount < 0n)
        .map(({ account }) => [account, event] as const),
    ),
  );
  if (takenFrom.size === 0) return [];
  const [rows] = await tx.query<RowDataPacket[]>(
    'SELECT DISTINCT account FROM balances WHERE account IN (?) AND amount < 0',
    [[...takenFrom.keys()]],
  );
  return rows.flatMap((row) => {
    const subject = String(row['account']);
    const event = takenFrom.get(subject);
    const payload = { reason: 'below-zero', source: event?.source };
    return event === undefined ? [] : [{ kind: 'alert', subject, payload, eventId: event.id }];
  });
}

const NOTHING: Heard = { sequence: 0n, told: '' };

function rowOf(
  { kind, subject, payload, eventId }: Caused,
  heard: Map<string, Heard>,
  at: Date,
): Row {
  if (kind === 'alert') return [eventId, kind, JSON.stringify(payload), at, at, subject];
  const { sequence, told } = heard.get(subject) ?? NOTHING;
  const next = sequence + 1n;
  heard.set(subject, { sequence: next, told });
  const id = messageId(subject, next, eventId);
  const numbered = { id, ...payload, eventId, subject, sequence: Number(next) };
  return [eventId, kind, JSON.stringify(numbered), at, at, subject];
}

/** Adds what was said so far of subjects that are not known yet. */
async function hear(
  tx: PoolConnection,
  subjects: readonly string[],
  heard = new Map<string, Heard>(),
): Promise<Map<string, Heard>> {
  const unknown = [...new Set(subjects)].filter((subject) => !heard.has(subject));
  if (unknown.length === 0) return heard;
  const [rows] = await tx.query<RowDataPacket[]>(
    'SELECT subject, sequence, told FROM outbox_subjects WHERE subject IN (?)',
    [unknown],
  );
  for (const row of rows) {
    heard.set(String(row['subject']), {
      sequence: BigInt(String(row['sequence'])),
      told: String(row['told']),
    });
  }
  return heard;
}
