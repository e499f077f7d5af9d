import type { RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { openDatabase } from '@kopeck/runtime/database';
import { audit } from '../../services/ledger/src/audit/audit.ts';
import { modelBalances } from '../../services/ledger/test/model.ts';
import { balances, failedJobs, query } from '../rig/books.ts';
import type { Rig } from '../rig/rig.ts';
import { bankTruth } from './bank.ts';
import type { Told } from './senders.ts';
import type { Shop } from './shop.ts';
import { contentOf, together, type Truth } from './truth.ts';

/** Every way in which the books differ from what those outside know; empty: not a kopeck is missing. */
export async function judgeBooks(
  rig: Rig,
  told: Told,
  shop: Shop,
  ...others: readonly Truth[]
): Promise<readonly string[]> {
  const rows = await query(
    rig,
    `SELECT event_id, source, type, subject, network, outcome, occurred_at, received_at, data
       FROM inbox ORDER BY seq`,
  );
  const truth = together(await bankTruth(rig, shop), told, shop, ...others);
  return [
    ...told.strange.map((answer) => `a partner was answered ${answer}`),
    ...eventProblems(rows, truth),
    ...(await orderProblems(rig, shop)),
    ...refreshProblems(rows, shop, truth),
    ...(await balanceProblems(rig, rows)),
    ...(await soundnessProblems(rig)),
  ];
}

const isRefresh = (row: RowDataPacket): boolean => row['type'] === 'config.refreshed';

/** Told and not booked, booked and never told, booked as something else. */
function eventProblems(rows: readonly RowDataPacket[], { events, accepted }: Truth): string[] {
  const booked = new Map(rows.map((row) => [String(row['event_id']), row]));
  const lost = [...accepted].filter((id) => !booked.has(id));
  const problems = lost.map((id) => `accepted, and not booked: ${id}`);
  for (const [id, row] of booked) {
    const event = events.get(id);
    const content = contentOfRow(row);
    if (event === undefined && !isRefresh(row))
      problems.push(`booked, and it never happened: ${id}`);
    if (event !== undefined && event.content !== content)
      problems.push(`booked as ${content}, and it was ${event.content}: ${id}`);
  }
  return problems;
}

type Data = Readonly<Record<string, Record<string, string> | string | null>>;

export function contentOfRow(row: RowDataPacket): string {
  if (row['outcome'] === 'quarantined') return 'quarantined';
  const data = JSON.parse(String(row['data'])) as Data;
  const money = data['paid'] ?? data['refunded'] ?? data['commission'] ?? data['price'];
  if (money === undefined || money === null || typeof money === 'string') return 'no money';
  const about = data['orderId'] ?? data['reference'];
  return contentOf(
    `${money['amount']} ${money['asset']}`,
    typeof about === 'string' ? about : null,
  );
}

async function orderProblems(rig: Rig, { ordered }: Shop): Promise<string[]> {
  const orders = await query(rig, "SELECT order_id FROM orders WHERE source = 'sbp'");
  const known = new Set(orders.map((row) => String(row['order_id'])));
  return [...ordered].filter((order) => !known.has(order)).map((order) => `no order: ${order}`);
}

/** Their ids are Kopeck's own: only how many there may be is known. */
function refreshProblems(
  rows: readonly RowDataPacket[],
  { refreshes: { asked, done } }: Shop,
  { events }: Truth,
): string[] {
  const refreshed = rows.filter((row) => isRefresh(row) && !events.has(String(row['event_id'])));
  const { length } = refreshed;
  const isOfOthers = refreshed.some((row) => row['subject'] !== 'purchase:1');
  return [
    ...(length < done ? [`${done} refreshes were done, and ${length} booked`] : []),
    ...(length > asked ? [`${asked} refreshes were asked for, and ${length} booked`] : []),
    ...(isOfOthers ? ['a refresh was booked of a purchase that is nobody’s'] : []),
  ];
}

/** The books against the posting table, as fewer than a hundred lines read it. */
async function balanceProblems(rig: Rig, rows: readonly RowDataPacket[]): Promise<string[]> {
  const ours = new Set(await balances(rig));
  const theirs = new Set(modelBalances(rows.map(eventOf), 0));
  return [
    ...[...ours].filter((line) => !theirs.has(line)).map((line) => `the books say ${line}`),
    ...[...theirs].filter((line) => !ours.has(line)).map((line) => `the books should say ${line}`),
  ];
}

/** What the model looks at. */
function eventOf(row: RowDataPacket): KopeckEvent {
  const { event_id: id, source, type, subject, network, occurred_at: at, data } = row;
  const time = (at as Date).toISOString();
  const event: unknown = {
    id,
    source,
    type,
    subject,
    network,
    time,
    data: JSON.parse(String(data)),
  };
  return event as KopeckEvent;
}

async function soundnessProblems(rig: Rig): Promise<string[]> {
  const pool = openDatabase(rig.databaseUrl, { connections: 1 });
  const { problem } = await audit(pool);
  await pool.end();
  const failed = await failedJobs(rig);
  return [
    ...(problem === null ? [] : [`the audit says ${JSON.stringify(problem)}`]),
    ...(failed === 0 ? [] : [`${failed} jobs were given up`]),
  ];
}
