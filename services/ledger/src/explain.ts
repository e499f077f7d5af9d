import { inflateSync } from 'node:zlib';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { canonicalAmount } from '@kopeck/core/money';
import { GENESIS } from './chain.ts';
import { completionId } from './decide.ts';

/**
 * All that the books know of an event, in one answer: what came, the verdict and by which rates, the
 * postings, its place in the chain, how often it came again and with what other content, what a person must
 * look at, who was told, and the other events of its subject. Null while it is not booked.
 */
export async function explainEvent(pool: Pool, id: string): Promise<object | null> {
  const ids = [id, completionId(id)];
  const rows = await select(
    pool,
    'SELECT * FROM inbox WHERE event_id IN (?) ORDER BY seq DESC LIMIT 1',
    [ids],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const [entry, previous, evidence, repeats, conflicts, reviews, ...more] = await Promise.all([
    entryOf(pool, row),
    select(pool, 'SELECT hash FROM inbox WHERE seq < ? ORDER BY seq DESC LIMIT 1', [
      String(row['seq']),
    ]),
    select(pool, 'SELECT body FROM evidence WHERE event_id = ?', [String(row['event_id'])]),
    select(pool, REPEATS, [id]),
    select(pool, 'SELECT contenthash, event, seen_at FROM conflicts WHERE event_id = ?', [id]),
    select(pool, REVIEWS, [ids]),
    select(pool, DELIVERIES, [ids]),
    select(pool, RELATED, [String(row['subject']), String(row['event_id'])]),
  ]);
  const [deliveries, related] = more;
  const [repeated] = repeats;
  return {
    ...summary(row, id),
    entry,
    identity: { id, contenthash: row['contenthash'] as unknown },
    inputs: parsed(row['inputs']),
    chain: { seq: row['seq'], previous: previous[0]?.['hash'] ?? GENESIS, hash: row['hash'] },
    evidence: evidenceOf(evidence[0], String(row['evidence_hash'])),
    repeats: repeated === undefined ? { times: 0 } : plain(repeated),
    conflicts: conflicts.map((conflict) => ({
      contenthash: conflict['contenthash'],
      seenAt: iso(conflict['seen_at']),
      event: withoutEvidence(conflict['event']),
    })),
    reviews: reviews.map(plain),
    deliveries: deliveries.map(plain),
    related: related.map(plain),
  };
}

const REPEATS = `SELECT times, first_at AS firstAt, last_at AS lastAt FROM repeats WHERE event_id = ?`;
const REVIEWS = `SELECT id, reason, state, opened_at AS openedAt, closed_at AS closedAt,
  decision_id AS decision FROM reviews WHERE event_id IN (?) ORDER BY id`;
const DELIVERIES = `SELECT id, kind, attempts, created_at AS createdAt, done_at AS doneAt,
  last_error AS lastError FROM outbox WHERE event_id IN (?) ORDER BY id`;
/** The newest are enough: a subscription may have thousands. */
const RELATED = `SELECT event_id AS id, type, outcome, reason, seq FROM inbox
  WHERE subject = ? AND event_id <> ? ORDER BY occurred_at DESC LIMIT 50`;

/**
 * Ids of the events that somebody may mean by an order, a charge, an invoice, an action, an id or a
 * subject of ours, such as `purchase:1`.
 */
export async function findEvents(pool: Pool, wanted: string): Promise<readonly string[]> {
  const rows = await select(
    pool,
    `SELECT event_id, seq FROM inbox WHERE event_id IN (?)
      UNION (SELECT event_id, seq FROM inbox WHERE subject = ? ORDER BY occurred_at DESC LIMIT 50)
      UNION SELECT i.event_id, i.seq FROM inbox i JOIN (
        SELECT subject FROM payments WHERE payment_id = ?
        UNION SELECT subject FROM payments WHERE order_id = ?
        UNION SELECT subject FROM affiliate_actions WHERE action_id = ?
        UNION SELECT subject FROM affiliate_actions WHERE order_number = ?
        UNION SELECT CONCAT('order:', source, ':', order_id) FROM orders WHERE order_id = ?
      ) s ON i.subject = s.subject ORDER BY seq LIMIT 50`,
    [[wanted, completionId(wanted)], wanted, wanted, wanted, wanted, wanted, wanted],
  );
  return rows.map((row) => String(row['event_id']));
}

function summary(row: RowDataPacket, id: string): object {
  return {
    id,
    source: row['source'],
    type: row['type'],
    subject: row['subject'],
    network: row['network'],
    outcome: row['outcome'],
    reason: row['reason'],
    occurredAt: iso(row['occurred_at']),
    receivedAt: iso(row['received_at']),
    bookedAt: iso(row['booked_at']),
    seq: row['seq'],
    hash: row['hash'],
    data: parsed(row['data']),
  };
}

async function entryOf(pool: Pool, inbox: RowDataPacket): Promise<unknown> {
  const rows = await select(
    pool,
    'SELECT account, asset, amount FROM postings WHERE seq = ? ORDER BY line',
    [String(inbox['seq'])],
  );
  if (rows.length === 0) return null;
  const postings = rows.map((row) => ({
    account: row['account'],
    asset: row['asset'],
    amount: canonicalAmount(String(row['amount'])) ?? String(row['amount']),
  }));
  return { id: inbox['event_id'], seq: inbox['seq'], postings };
}

/** The bytes as they came, base64 of a body and all. `raw` is null where nothing is kept. */
function evidenceOf(row: RowDataPacket | undefined, sha256: string): object {
  if (row === undefined) return { sha256, raw: null };
  const text = inflated(row['body'] as Buffer);
  if (text === null) return { sha256, raw: null, unreadable: true };
  const raw = parsed(text) as { readonly body?: unknown } | null;
  const body = typeof raw?.body === 'string' ? Buffer.from(raw.body, 'base64').toString() : null;
  return { sha256, raw: raw ?? text, body };
}

/** Null: it is not what was written. The audit names it; what else is known is told all the same. */
function inflated(body: Buffer): string | null {
  try {
    return inflateSync(body).toString();
  } catch {
    return null;
  }
}

function withoutEvidence(event: unknown): unknown {
  const { evidence: _, ...rest } = (parsed(event) ?? {}) as { readonly evidence?: unknown };
  return rest;
}

function plain(row: RowDataPacket): object {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]: [string, unknown]) => [
      key,
      value instanceof Date ? value.toISOString() : value,
    ]),
  );
}

function parsed(json: unknown): unknown {
  try {
    return JSON.parse(String(json));
  } catch {
    return null;
  }
}

function iso(value: unknown): string {
  return (value as Date).toISOString();
}

async function select(
  pool: Pool,
  sql: string,
  values: readonly (string | readonly string[])[],
): Promise<readonly RowDataPacket[]> {
  const [rows] = await pool.query<RowDataPacket[]>(sql, [...values]);
  return rows;
}
