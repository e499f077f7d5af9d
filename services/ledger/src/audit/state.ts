import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { commissionText, foldAffiliate } from '../affiliate.ts';
import type { Knowledge } from '../knowledge.ts';
import { orderText } from '../knowledge.ts';
import { loadSubjects } from '../load.ts';
import { foldPayment, orderKeyOfEvents } from '../payment.ts';
import { difference, type Posting } from '../posting.ts';
import type { Stored } from '../stored-event.ts';
import { givenBy, type Given } from '../subscription.ts';
import { fromDecimal } from './decimal.ts';
import { wrongCounts, wrongOrders } from './orders.ts';
import { givenOfSubjects, sameGiven, wrongSubscriptions } from './subscriptions.ts';
import type { Problem } from './verify.ts';

const PAGE = 500;

/**
 * Folds every payment and every affiliate action again, and holds the books of each and the tables of
 * today's state against it. In pages: memory does not grow with the books.
 */
export async function wrongState(tx: PoolConnection): Promise<Problem | null> {
  // Orders first: payments are folded with what they say.
  return (
    (await wrongOrders(tx)) ??
    (await wrongCounts(tx)) ??
    (await wrongFolds(tx)) ??
    (await wrongSubscriptions(tx))
  );
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
  const given = await givenOfSubjects(tx, subjects);
  for (const subject of subjects) {
    const events = knowledge.events.get(subject) ?? [];
    const isPayment = events.some(({ type }) => type.startsWith('payment.'));
    const expected = isPayment ? payment(events, knowledge) : action(events);
    const { target, row } = expected;
    const found = isPayment ? payments.get(subject) : actions.get(subject);
    const place = `the state of ${subject}`;
    if (!hasSame(row, found)) return { invariant: 'state', place, what: describe(row, found) };
    if (difference(target, knowledge.booked.get(subject) ?? []).length > 0)
      return { invariant: 'state', place, what: 'its postings are not what its events come to' };
    if (!sameGiven(expected.given, given.get(subject) ?? []))
      return { invariant: 'state', place, what: 'what it gives of a plan is not what is kept' };
  }
  return null;
}

type Row = Readonly<Record<string, string | null>>;

interface Expected {
  readonly target: readonly Posting[];
  readonly row: Row | null;
  /** Of plans. */
  readonly given: readonly Given[];
}

function payment(events: readonly Stored[], { orders }: Knowledge): Expected {
  const key = orderKeyOfEvents(events);
  const order = key === null ? undefined : orders.get(orderText(key));
  const state = foldPayment(events, order ?? null);
  const { target, source, paymentId, status } = state;
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
  return { target, row, given: givenBy(events[0]?.subject ?? '', state) };
}

function action(events: readonly Stored[]): Expected {
  const state = foldAffiliate(events);
  if (state === null) return { target: [], row: null, given: [] };
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
  return { target: state.target, row, given: [] };
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
