import type { PoolConnection } from 'mysql2/promise';
import { commissionText } from './affiliate.ts';
import type { Decision, Verdict } from './decide.ts';
import { insert, type Row } from './sql.ts';

/** The tables of today's state: the newest decision of a subject wins. */
export async function recordState(
  tx: PoolConnection,
  decisions: readonly Decision[],
  at: Date,
): Promise<void> {
  const orders = decisions.flatMap(({ event, order }) =>
    event.type === 'order.created' && order !== null
      ? [
          [
            order.source,
            order.orderId,
            JSON.stringify({ ...event.data, network: event.network }),
            new Date(event.time),
          ],
        ]
      : [],
  );
  await insert(tx, 'INSERT INTO orders (source, order_id, data, created_at) VALUES ?', orders);

  const paymentRows = new Map(
    decisions.flatMap(({ payments }) =>
      [...payments].map(([subject, { source, paymentId, order, status, paid }]) => [
        subject,
        [
          subject,
          source,
          order?.source ?? source,
          order?.orderId ?? null,
          status,
          paid?.asset ?? null,
          paid?.amount ?? null,
          at,
          paymentId,
        ],
      ]),
    ),
  );
  await insert(
    tx,
    `INSERT INTO payments (subject, source, order_source, order_id, status, asset, amount, updated_at, payment_id)
      VALUES ? ON DUPLICATE KEY UPDATE order_source = VALUES(order_source),
      order_id = VALUES(order_id), status = VALUES(status), asset = VALUES(asset), amount = VALUES(amount),
      updated_at = VALUES(updated_at)`,
    [...paymentRows.values()],
  );
  await insert(
    tx,
    `INSERT INTO affiliate_actions (subject, partner, action_id, click_id, order_number, status, asset,
      commission, revision, updated_at) VALUES ? ON DUPLICATE KEY UPDATE status = VALUES(status),
      asset = VALUES(asset), commission = VALUES(commission), revision = VALUES(revision),
      updated_at = VALUES(updated_at)`,
    [...new Map(decisions.flatMap((decision) => affiliateRow(decision, at))).values()],
  );
}

function affiliateRow({ event, affiliate }: Decision, at: Date): [string, Row][] {
  if (affiliate === null) return [];
  const { data } = affiliate.current;
  const { status, revision } = affiliate;
  const { commission, partner, actionId, clickId, orderNumber } = data;
  const money = [commission?.asset ?? null, commissionText(data)];
  const row = [
    event.subject,
    partner,
    actionId,
    clickId,
    orderNumber,
    status,
    ...money,
    revision,
    at,
  ];
  return [[event.subject, row]];
}

/** Conflicts are kept beside the first; both they and what is quarantined go to the operator. */
export async function recordTrouble(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
  at: Date,
): Promise<void> {
  const alerts: Row[] = [];
  const conflicts: Row[] = [];
  for (const verdict of verdicts) {
    const { event } = verdict;
    if (verdict.kind === 'conflict')
      conflicts.push([event.id, event.contenthash, JSON.stringify(event), at]);
    const reason = alertOf(verdict);
    if (reason !== null) {
      const payload = JSON.stringify({ reason, source: event.source });
      alerts.push([event.id, 'alert', payload, at, reason === 'revision' ? nextMorning(at) : at]);
    }
  }
  await insert(
    tx,
    `INSERT INTO conflicts (event_id, contenthash, event, seen_at) VALUES ?
      ON DUPLICATE KEY UPDATE seen_at = seen_at`,
    conflicts,
  );
  await insert(
    tx,
    'INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at) VALUES ?',
    alerts,
  );
}

function alertOf(verdict: Verdict): string | null {
  if (verdict.kind === 'conflict') return 'conflict';
  if (verdict.kind !== 'new') return null;
  return verdict.outcome === 'quarantined' ? 'quarantined' : verdict.alert;
}

/** One mail a day for what nobody has to hurry about: at six in the morning, UTC. */
function nextMorning(at: Date): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1, 6));
}
