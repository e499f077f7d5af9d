import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { SourceName } from '@kopeck/core/event';
import { eventId } from '@kopeck/core/identity';
import { commissionText, foldAffiliate } from '../affiliate.ts';
import type { Knowledge } from '../knowledge.ts';
import { orderText } from '../knowledge.ts';
import { loadSubjects } from '../load.ts';
import { foldPayment, orderKeyOfEvents } from '../payment.ts';
import { difference, type Posting } from '../posting.ts';
import type { Stored } from '../stored-event.ts';
import { fromDecimal } from './decimal.ts';
import type { Problem } from './verify.ts';

const PAGE = 500;

/**
 * Folds every payment and every affiliate action again, and holds the books of each and the tables of
 * today's state against it. In pages: memory does not grow with the books.
 */
export async function wrongState(tx: PoolConnection): Promise<Problem | null> {
  // Orders first: payments are folded with what they say.
  return (await wrongOrders(tx)) ?? (await wrongCounts(tx)) ?? (await wrongFolds(tx));
}

async function wrongFolds(tx: PoolConnection): Promise<Problem | null> {
  let last = '';
  for (;;) {
    const [rows] = await tx.query<RowDataPacket[]>(
      `SELECT DISTINCT subject FROM inbox WHERE subject > ?
        AND (type LIKE 'payment.%' OR type LIKE 'affiliate.%') ORDER BY subject LIMIT ${PAGE}`,
      [last],
    );
    const subjects = rows.map((row) => String(row['subject']));
    const end = subjects.at(-1);
    if (end === undefined) return null;
    const problem = await wrongSubjects(tx, subjects);
    if (problem !== null) return problem;
    last = end;
  }
}

async function wrongSubjects(
  tx: PoolConnection,
  subjects: readonly string[],
): Promise<Problem | null> {
  const knowledge = await loadSubjects(tx, subjects);
  const payments = await bySubject(tx, 'payments', subjects);
  const actions = await bySubject(tx, 'affiliate_actions', subjects);
  for (const subject of subjects) {
    const events = knowledge.events.get(subject) ?? [];
    const isPayment = events.some(({ type }) => type.startsWith('payment.'));
    const { target, row } = isPayment ? payment(events, knowledge) : action(events);
    const found = isPayment ? payments.get(subject) : actions.get(subject);
    const place = `the state of ${subject}`;
    if (!hasSame(row, found)) return { invariant: 'state', place, what: describe(row, found) };
    if (difference(target, knowledge.booked.get(subject) ?? []).length > 0)
      return { invariant: 'state', place, what: 'its postings are not what its events come to' };
  }
  return null;
}

type Row = Readonly<Record<string, string | null>>;

interface Expected {
  readonly target: readonly Posting[];
  readonly row: Row | null;
}

function payment(events: readonly Stored[], { orders }: Knowledge): Expected {
  const key = orderKeyOfEvents(events);
  const order = key === null ? undefined : orders.get(orderText(key));
  const { target, source, paymentId, status, ...state } = foldPayment(events, order ?? null);
  const place = state.order ?? { source, orderId: null };
  const money = state.paid ?? { asset: null, amount: null };
  const row = {
    source,
    payment_id: paymentId,
    order_source: place.source,
    order_id: place.orderId,
    status,
    ...money,
  };
  return { target, row };
}

function action(events: readonly Stored[]): Expected {
  const state = foldAffiliate(events);
  if (state === null) return { target: [], row: null };
  const { data } = state.current;
  const row = {
    partner: data.partner,
    action_id: data.actionId,
    click_id: data.clickId,
    order_number: data.orderNumber,
    status: state.status,
    asset: data.commission?.asset ?? null,
    commission: commissionText(data),
    revision: String(state.revision),
  };
  return { target: state.target, row };
}

function hasSame(row: Row | null, found: RowDataPacket | undefined): boolean {
  if (row === null || found === undefined) return row === null && found === undefined;
  return differing(row, found).length === 0;
}

function differing(row: Row, found: RowDataPacket): readonly string[] {
  return Object.keys(row).filter((column) => {
    const value = found[column] as string | number | null;
    const text = value === null ? null : String(value);
    const isMoney = column === 'amount' || column === 'commission';
    return (isMoney && text !== null ? fromDecimal(text)?.text : text) !== row[column];
  });
}

function describe(row: Row | null, found: RowDataPacket | undefined): string {
  if (row === null) return 'there is a row and no event';
  return found === undefined ? 'its row is missing' : `${differing(row, found).join(', ')} differ`;
}

async function bySubject(
  tx: PoolConnection,
  table: 'payments' | 'affiliate_actions',
  subjects: readonly string[],
): Promise<ReadonlyMap<string, RowDataPacket>> {
  const [rows] = await tx.query<RowDataPacket[]>(`SELECT * FROM ${table} WHERE subject IN (?)`, [
    subjects,
  ]);
  return new Map(rows.map((row) => [String(row['subject']), row]));
}

/** Each order is the data of its event, word for word, with the network that the event came from. */
async function wrongOrders(tx: PoolConnection): Promise<Problem | null> {
  let [source, orderId] = ['', ''];
  for (;;) {
    const [rows] = await tx.query<RowDataPacket[]>(
      `SELECT source, order_id, data FROM orders WHERE (source, order_id) > (?, ?)
        ORDER BY source, order_id LIMIT ${PAGE}`,
      [source, orderId],
    );
    if (rows.length === 0) return null;
    const ids = rows.map((row) => orderEventId(row));
    const [events] = await tx.query<RowDataPacket[]>(
      'SELECT event_id, data, network FROM inbox WHERE event_id IN (?)',
      [ids],
    );
    const expected = new Map(events.map((row) => [row['event_id'], orderOf(row)]));
    const wrong = rows.find((row, at) => expected.get(ids[at]) !== row['data']);
    if (wrong !== undefined)
      return { invariant: 'state', place: `order ${wrong['order_id']}`, what: 'is not its event' };
    [source, orderId] = [String(rows.at(-1)?.['source']), String(rows.at(-1)?.['order_id'])];
  }
}

function orderEventId(row: RowDataPacket): string {
  return eventId(row['source'] as SourceName, 'order.created', [String(row['order_id'])]);
}

function orderOf(row: RowDataPacket): string {
  const data = JSON.parse(String(row['data'])) as object;
  return JSON.stringify({ ...data, network: row['network'] as unknown });
}

/** What the pages above cannot meet: rows that no event has made, or orders that have lost theirs. */
const COUNTS = `SELECT
  (SELECT COUNT(*) FROM payments) AS payments,
  (SELECT COUNT(DISTINCT subject) FROM inbox WHERE type LIKE 'payment.%') AS payments_expected,
  (SELECT COUNT(*) FROM affiliate_actions) AS affiliate_actions,
  (SELECT COUNT(DISTINCT subject) FROM inbox WHERE type LIKE 'affiliate.%') AS affiliate_actions_expected,
  (SELECT COUNT(*) FROM orders) AS orders,
  (SELECT COUNT(*) FROM inbox WHERE type = 'order.created' AND reason IS NULL) AS orders_expected`;

async function wrongCounts(tx: PoolConnection): Promise<Problem | null> {
  const [[counts]] = await tx.query<RowDataPacket[]>(COUNTS);
  for (const table of ['payments', 'affiliate_actions', 'orders']) {
    const [found, expected] = [counts?.[table], counts?.[`${table}_expected`]].map(Number);
    if (found !== expected)
      return {
        invariant: 'state',
        place: table,
        what: `${found} rows, and events for ${expected}`,
      };
  }
  return null;
}
