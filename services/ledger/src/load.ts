import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { parseAmount } from '@kopeck/core/money';
import { completionId } from './decide.ts';
import { emptyKnowledge, orderText, push, type Knowledge } from './knowledge.ts';
import { orderKeyOf, type Order, type OrderKey } from './payment.ts';
import { storedEvent, type Stored } from './stored-event.ts';
import { loadMessages } from './svix-messages.ts';

/** Reads what the books know of everything the batch touches, in a handful of statements. */
export async function loadKnowledge(
  tx: PoolConnection,
  events: readonly KopeckEvent[],
): Promise<Knowledge> {
  const knowledge = emptyKnowledge();
  await loadSeen(tx, events, knowledge);

  const orderKeys = uniqueOrders(events);
  await loadPaymentsOf(tx, orderKeys, knowledge);
  const subjects = new Set([
    ...events.filter(isFolded).map(({ subject }) => subject),
    ...[...knowledge.payments.values()].flat(),
  ]);
  await loadSubjects(tx, [...subjects], knowledge, orderKeys);
  const messages = await loadMessages(tx, events);
  return { ...knowledge, earlier: new Set(knowledge.events.keys()), messages };
}

/** All that is known of the subjects: their events, their books, and the orders that they name. */
export async function loadSubjects(
  tx: PoolConnection,
  subjects: readonly string[],
  knowledge: Knowledge = emptyKnowledge(),
  orderKeys: readonly OrderKey[] = [],
): Promise<Knowledge> {
  await loadEvents(tx, subjects, knowledge);
  // Without an event nothing was booked: most subjects are new.
  await loadBooked(tx, [...knowledge.events.keys()], knowledge);
  const named = [...knowledge.events.values()].flat().map(orderKeyOfPayment);
  await loadOrders(tx, [...orderKeys, ...named.filter((key) => key !== null)], knowledge);
  return knowledge;
}

function isFolded({ type }: { type: string }): boolean {
  return /^(payment|affiliate|review)\./.test(type);
}

function orderKeyOfPayment(event: Stored): OrderKey | null {
  return event.type.startsWith('payment.') ? orderKeyOf(event) : null;
}

/** The orders that are created in the batch, and those that its payments name. */
function uniqueOrders(events: readonly KopeckEvent[]): readonly OrderKey[] {
  const keys = new Map<string, OrderKey>();
  for (const event of events) {
    const key =
      event.type === 'order.created'
        ? ({
            source: event.source === 'sbp' ? 'sbp' : 'crypto',
            orderId: event.data.orderId,
          } as const)
        : orderKeyOfPayment(storedEvent(event, {}));
    if (key !== null) keys.set(orderText(key), key);
  }
  return [...keys.values()];
}

/** The completion of an event is looked for only where the event is known. */
async function loadSeen(
  tx: PoolConnection,
  events: readonly KopeckEvent[],
  knowledge: Knowledge,
): Promise<void> {
  const ids = events.map(({ id }) => id);
  const rows = await select(tx, SEEN, ids);
  const baseOf = new Map(
    rows.map((row) => [completionId(String(row['event_id'])), String(row['event_id'])]),
  );
  const completions = await select(tx, SEEN, [...baseOf.keys()]);
  for (const row of [...rows, ...completions]) {
    const id = String(row['event_id']);
    const isIncomplete = row['reason'] === 'amount-unknown';
    const contenthash = String(row['contenthash']);
    push(knowledge.seen, baseOf.get(id) ?? id, { contenthash, isIncomplete, isBooked: true });
  }
  // A conflict that is known already is a plain repeat when it comes again.
  const conflicts = await select(
    tx,
    'SELECT event_id, contenthash FROM conflicts WHERE event_id IN (?)',
    ids,
  );
  for (const row of conflicts) {
    const contenthash = String(row['contenthash']);
    push(knowledge.seen, String(row['event_id']), { contenthash, ...KEPT });
  }
}

/** A conflict takes nothing from anybody. */
const KEPT = { isIncomplete: true, isBooked: false } as const;
const SEEN = 'SELECT event_id, contenthash, reason FROM inbox WHERE event_id IN (?)';

async function loadPaymentsOf(
  tx: PoolConnection,
  keys: readonly OrderKey[],
  knowledge: Knowledge,
): Promise<void> {
  const rows = await select(
    tx,
    'SELECT subject, order_source, order_id FROM payments WHERE (order_source, order_id) IN (?)',
    keys.map(({ source, orderId }) => [source, orderId]),
  );
  for (const row of rows) {
    push(knowledge.payments, `${row['order_source']}:${row['order_id']}`, String(row['subject']));
  }
}

async function loadEvents(
  tx: PoolConnection,
  subjects: readonly string[],
  knowledge: Knowledge,
): Promise<void> {
  const rows = await select(
    tx,
    `SELECT event_id, source, type, subject, network, occurred_at, data, inputs FROM inbox
      WHERE subject IN (?) ORDER BY seq`,
    subjects,
  );
  for (const row of rows) push(knowledge.events, String(row['subject']), storedOf(row));
}

function storedOf(row: RowDataPacket): Stored {
  const event: unknown = {
    id: String(row['event_id']),
    source: row['source'],
    type: row['type'],
    subject: String(row['subject']),
    network: row['network'],
    time: (row['occurred_at'] as Date).toISOString(),
    data: JSON.parse(String(row['data'])),
    inputs: JSON.parse(String(row['inputs'])),
  };
  return event as Stored;
}

async function loadBooked(
  tx: PoolConnection,
  subjects: readonly string[],
  knowledge: Knowledge,
): Promise<void> {
  const rows = await select(
    tx,
    `SELECT subject, account, asset, SUM(amount) AS amount FROM postings
      WHERE subject IN (?) GROUP BY subject, account, asset`,
    subjects,
  );
  for (const row of rows) {
    push(knowledge.booked, String(row['subject']), {
      subject: String(row['subject']),
      account: String(row['account']),
      asset: String(row['asset']),
      amount: parseAmount(String(row['amount'])) ?? 0n,
    });
  }
}

async function loadOrders(
  tx: PoolConnection,
  keys: readonly OrderKey[],
  knowledge: Knowledge,
): Promise<void> {
  const rows = await select(
    tx,
    'SELECT source, order_id, data FROM orders WHERE (source, order_id) IN (?)',
    keys.map(({ source, orderId }) => [source, orderId]),
  );
  for (const row of rows) {
    knowledge.orders.set(
      `${row['source']}:${row['order_id']}`,
      JSON.parse(String(row['data'])) as Order,
    );
  }
}

/** `IN ()` is no SQL: without values there are no rows. */
async function select(
  tx: PoolConnection,
  sql: string,
  values: readonly (string | readonly string[])[],
): Promise<readonly RowDataPacket[]> {
  if (values.length === 0) return [];
  const [rows] = await tx.query<RowDataPacket[]>(sql, [values]);
  return rows;
}
