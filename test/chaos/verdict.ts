import type { RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { openDatabase } from '@kopeck/runtime/database';
import { audit } from '../../services/ledger/src/audit/audit.ts';
import { modelBalances } from '../../services/ledger/test/model.ts';
import { balances, failedJobs, query } from '../rig/books.ts';
import type { Rig } from '../rig/rig.ts';
import type { Told } from './senders.ts';
import type { Shop } from './shop.ts';

/** Every way in which the books differ from what the partners know; empty: not a kopeck is missing. */
export async function judgeBooks(rig: Rig, told: Told, shop: Shop): Promise<readonly string[]> {
  const rows = await query(
    rig,
    `SELECT event_id, source, type, subject, network, outcome, occurred_at, received_at, data
       FROM inbox ORDER BY seq`,
  );
  return [
    ...told.strange.map((answer) => `a partner was answered ${answer}`),
    ...eventProblems(rows, told),
    ...(await shopProblems(rig, rows, shop)),
    ...(await balanceProblems(rig, rows)),
    ...(await soundnessProblems(rig)),
  ];
}

/** Told and not booked, booked and never told, booked as something else. */
function eventProblems(rows: readonly RowDataPacket[], { events, accepted }: Told): string[] {
  const booked = new Map(rows.map((row) => [String(row['event_id']), row]));
  const lost = [...accepted].filter((id) => !booked.has(id));
  const problems = lost.map((id) => `accepted, and not booked: ${id}`);
  for (const [id, row] of booked) {
    if (row['source'] === 'sbp' || row['source'] === 'admin') continue;
    const event = events.get(id);
    if (event === undefined) problems.push(`booked, and it never happened: ${id}`);
    else if (event.content !== contentOf(row))
      problems.push(`booked as ${contentOf(row)}, and it was ${event.content}: ${id}`);
  }
  return problems;
}

export function contentOf(row: RowDataPacket): string {
  if (row['outcome'] === 'quarantined') return 'quarantined';
  const data = JSON.parse(String(row['data'])) as Record<string, Record<string, string> | null>;
  const money = data['paid'] ?? data['refunded'] ?? data['commission'];
  return `${money?.['amount']} ${money?.['asset']}`;
}

async function shopProblems(
  rig: Rig,
  rows: readonly RowDataPacket[],
  { ordered, paid, refreshed }: Shop,
): Promise<string[]> {
  const orders = await query(rig, "SELECT order_id FROM orders WHERE source = 'sbp'");
  const known = new Set(orders.map((row) => String(row['order_id'])));
  const payments = rows
    .filter((row) => row['source'] === 'sbp' && row['type'] === 'payment.paid')
    .map((row) =>
      String((JSON.parse(String(row['data'])) as Record<string, unknown>)['reference']),
    );
  const timesPaid = (order: string): number => payments.filter((each) => each === order).length;
  const refreshes = rows.filter((row) => row['type'] === 'config.refreshed').length;
  return [
    ...[...ordered].filter((order) => !known.has(order)).map((order) => `no order: ${order}`),
    ...[...paid]
      .filter((order) => timesPaid(order) !== 1)
      .map((order) => `not paid once: ${order}`),
    ...(refreshes < refreshed ? [`${refreshed} refreshes were done, and ${refreshes} booked`] : []),
  ];
}

/** The books against the posting table, as fewer than a hundred lines read it. */
async function balanceProblems(rig: Rig, rows: readonly RowDataPacket[]): Promise<string[]> {
  const ours = await balances(rig);
  const theirs = modelBalances(rows.map(eventOf), 0);
  return [
    ...ours.filter((line) => !theirs.includes(line)).map((line) => `the books say ${line}`),
    ...theirs.filter((line) => !ours.includes(line)).map((line) => `the books should say ${line}`),
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
