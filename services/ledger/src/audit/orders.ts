import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { SourceName } from '@kopeck/core/event';
import { eventId } from '@kopeck/core/identity';
import type { Problem } from './verify.ts';

const PAGE = 500;

/** Each order is the data of its event, word for word, with the network that the event came from. */
export async function wrongOrders(tx: PoolConnection): Promise<Problem | null> {
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

export async function wrongCounts(tx: PoolConnection): Promise<Problem | null> {
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
