import type { PoolConnection } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { formatAmount } from '@kopeck/core/money';
import { nextHash, type Link } from './chain.ts';
import type { Decision, Verdict } from './decide.ts';
import { keptOf } from './kept.ts';
import { postingsText, type Posting } from './posting.ts';
import { recordHeartbeat } from './record-heartbeat.ts';
import { recordNotices } from './record-notices.ts';
import { recordRepeats } from './record-repeats.ts';
import { recordReviews } from './record-reviews.ts';
import { recordState, recordTrouble } from './record-state.ts';
import { insert, type Row } from './sql.ts';
import { recordMessages } from './svix-messages.ts';

export interface Head {
  readonly seq: bigint;
  readonly hash: string;
}

export interface Circumstances {
  readonly bookedAt: Date;
  /** Subjects with state from earlier batches. */
  readonly earlier: ReadonlySet<string>;
  /** Of evidence that may be gone; by default it is hashed. */
  readonly evidenceHashOf?: ((event: KopeckEvent) => string) | undefined;
}

/** Writes what was decided, one statement a table, and returns the new head of the chain. */
export async function record(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
  head: Head,
  { bookedAt, earlier, evidenceHashOf = hashOf }: Circumstances,
): Promise<Head> {
  const decisions = verdicts.filter((verdict) => verdict.kind === 'new');
  const { rows, newHead } = chain(decisions, head, evidenceHashOf);

  await insert(
    tx,
    `INSERT INTO inbox (event_id, seq, source, type, subject, network, outcome, reason, contenthash,
      occurred_at, received_at, booked_at, data, inputs, evidence_hash, hash) VALUES ?`,
    rows.map((row) => inboxRow(row, bookedAt)),
  );
  await insert(
    tx,
    'INSERT INTO evidence (event_id, body) VALUES ?',
    decisions.flatMap(({ id, event }) => {
      const { evidence } = keptOf(event);
      return evidence === null ? [] : [[id, evidence]];
    }),
  );
  await recordEntries(tx, rows, bookedAt);
  // The database checks what was booked, and adds it to the balances: the triggers of 0014 and 0018.
  if (rows.length > 0) {
    await tx.query('UPDATE chain_head SET seq = ?, hash = ? WHERE id = 1', [
      newHead.seq.toString(),
      newHead.hash,
    ]);
  }
  await recordState(tx, decisions, bookedAt);
  await recordReviews(tx, verdicts, bookedAt, earlier);
  await recordTrouble(tx, verdicts, bookedAt);
  await recordRepeats(tx, verdicts, bookedAt);
  await recordMessages(tx, verdicts);
  await recordNotices(tx, decisions, bookedAt, earlier);
  await recordHeartbeat(tx, verdicts);
  return newHead;
}

function hashOf(event: KopeckEvent): string {
  return keptOf(event).evidenceHash;
}

interface Chained {
  readonly decision: Decision;
  readonly seq: bigint;
  readonly data: string;
  readonly inputs: string;
  readonly evidenceHash: string;
  readonly hash: string;
}

function chain(
  decisions: readonly Decision[],
  head: Head,
  evidenceHashOf: (event: KopeckEvent) => string,
): { rows: readonly Chained[]; newHead: Head } {
  let { seq, hash } = head;
  const rows = decisions.map((decision) => {
    const { data } = keptOf(decision.event);
    const inputs = JSON.stringify(decision.inputs);
    const evidenceHash = evidenceHashOf(decision.event);
    seq += 1n;
    hash = nextHash(hash, linkOf(decision, { seq, data, inputs, evidenceHash }));
    return { decision, seq, data, inputs, evidenceHash, hash };
  });
  return { rows, newHead: { seq, hash } };
}

type Place = Pick<Link, 'seq' | 'data' | 'inputs' | 'evidenceHash'>;

function linkOf({ id, event, outcome, reason, postings }: Decision, place: Place): Link {
  const { source, type, subject, network, contenthash, time, receivedat } = event;
  return {
    ...place,
    id,
    source,
    type,
    subject,
    network,
    outcome,
    reason,
    contenthash,
    occurredAt: new Date(time).toISOString(),
    receivedAt: new Date(receivedat).toISOString(),
    postings: postingsText(postings),
  };
}

function inboxRow(
  { decision, seq, data, inputs, evidenceHash, hash }: Chained,
  bookedAt: Date,
): Row {
  const { id, event, outcome, reason } = decision;
  const { source, type, subject, network, contenthash } = event;
  const times = [new Date(event.time), new Date(event.receivedat), bookedAt];
  const place = [id, seq.toString(), source, type, subject, network, outcome, reason, contenthash];
  return [...place, ...times, data, inputs, evidenceHash, hash];
}

async function recordEntries(
  tx: PoolConnection,
  rows: readonly Chained[],
  bookedAt: Date,
): Promise<void> {
  const booked = rows.filter(({ decision }) => decision.postings.length > 0);
  await insert(
    tx,
    'INSERT INTO entries (seq, event_id, booked_at) VALUES ?',
    booked.map(({ decision, seq }) => [seq.toString(), decision.id, bookedAt]),
  );
  await insert(
    tx,
    'INSERT INTO postings (seq, line, subject, account, asset, amount) VALUES ?',
    booked.flatMap(({ decision, seq }) =>
      decision.postings.map((posting, line) => postingRow(seq, line, posting)),
    ),
  );
}

function postingRow(seq: bigint, line: number, { subject, account, asset, amount }: Posting): Row {
  return [seq.toString(), line, subject, account, asset, formatAmount(amount)];
}
