import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { wasPaid } from './order.ts';
import { orderOf } from './order-row.ts';
import { takenBack, type Refund, type RefundStatus } from './refund.ts';
import type { Sql } from './sql.ts';

export type NewRefund = Pick<Refund, 'refundKey' | 'orderId' | 'refundId' | 'createdAt'> & {
  /** Null: all that is left. */
  readonly kopecks: bigint | null;
  readonly nextLookAt: Date;
};

export type Intent =
  | { readonly kind: 'new' | 'known'; readonly refund: Refund }
  | { readonly kind: 'no-order' | 'not-paid' | 'too-much' | 'conflict' };

/** sbp_refunds. A refund is in it before the provider hears of it. */
export interface Refunds {
  /** Decides under the order's lock, so refunds at the same time never exceed the payment. */
  readonly intend: (refund: NewRefund) => Promise<Intent>;
  /** False: somebody has sent it already, or is going to. */
  readonly startSending: (refund: Refund) => Promise<boolean>;
  readonly save: (
    refund: Refund,
    news: Pick<Refund, 'status' | 'providerRefundId'>,
  ) => Promise<void>;
  readonly of: (orderId: string) => Promise<readonly Refund[]>;
  readonly due: (now: Date, limit: number) => Promise<readonly Refund[]>;
  /** Moves the next look as long as nobody has moved it since. */
  readonly move: (refund: Refund, to: Date | null) => Promise<boolean>;
  /** The provider has news of this order's refunds. */
  readonly hint: (orderId: string, now: Date) => Promise<void>;
}

const UNDECIDED = `status IN ('intended', 'sent', 'pending')`;

export function openRefunds({ run, rows, transaction }: Sql): Refunds {
  return {
    intend: (refund) => transaction((tx) => intend(tx, refund)),

    startSending: async ({ refundKey }) =>
      (await run(
        `UPDATE sbp_refunds SET status = 'sent' WHERE refund_key = ? AND status = 'intended'`,
        [refundKey],
      )) === 1,

    save: async ({ refundKey }, { status, providerRefundId }) => {
      await run(
        `UPDATE sbp_refunds SET status = ?, provider_refund_id = COALESCE(?, provider_refund_id)
         WHERE refund_key = ? AND ${UNDECIDED}`,
        [status, providerRefundId, refundKey],
      );
    },

    of: async (orderId) =>
      (await rows('SELECT * FROM sbp_refunds WHERE order_id = ?', [orderId])).map(refundOf),

    due: async (now, limit) =>
      (
        await rows(
          'SELECT * FROM sbp_refunds WHERE next_look_at <= ? ORDER BY next_look_at LIMIT ?',
          [now, limit],
        )
      ).map(refundOf),

    move: async ({ refundKey, nextLookAt }, to) =>
      (await run(
        'UPDATE sbp_refunds SET next_look_at = ? WHERE refund_key = ? AND next_look_at = ?',
        [to, refundKey, nextLookAt],
      )) === 1,

    hint: async (orderId, now) => {
      await run(
        `UPDATE sbp_refunds SET next_look_at = ?
         WHERE order_id = ? AND status = 'pending' AND next_look_at > ?`,
        [now, orderId, now],
      );
    },
  };
}

async function intend(tx: PoolConnection, wanted: NewRefund): Promise<Intent> {
  const { orderId, refundId } = wanted;
  const [[row]] = await tx.query<RowDataPacket[]>(
    'SELECT * FROM sbp_orders WHERE order_id = ? FOR UPDATE',
    [orderId],
  );
  if (row === undefined) return { kind: 'no-order' };
  const order = orderOf(row);
  const [rows] = await tx.query<RowDataPacket[]>('SELECT * FROM sbp_refunds WHERE order_id = ?', [
    orderId,
  ]);
  const refunds = rows.map(refundOf);
  const known = refunds.find((refund) => refund.refundId === refundId);
  if (known !== undefined) {
    const isSame = wanted.kopecks === null || wanted.kopecks === known.kopecks;
    return isSame ? { kind: 'known', refund: known } : { kind: 'conflict' };
  }
  if (!wasPaid(order)) return { kind: 'not-paid' };

  const left = order.status === 'refunded' ? 0n : order.kopecks - takenBack(refunds);
  const kopecks = wanted.kopecks ?? left;
  if (kopecks > left || kopecks <= 0n) return { kind: 'too-much' };
  const refund: Refund = {
    ...wanted,
    kopecks,
    attemptId: order.attemptId,
    status: 'intended',
    providerRefundId: null,
  };
  await insert(tx, refund);
  return { kind: 'new', refund };
}

async function insert(tx: PoolConnection, refund: Refund): Promise<void> {
  await tx.query(
    `INSERT INTO sbp_refunds
       (refund_key, order_id, refund_id, attempt_id, kopecks, status, created_at, next_look_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    // prettier-ignore
    [refund.refundKey, refund.orderId, refund.refundId, refund.attemptId, refund.kopecks,
     refund.status, refund.createdAt, refund.nextLookAt],
  );
}

function refundOf(row: RowDataPacket): Refund {
  return {
    refundKey: String(row['refund_key']),
    orderId: String(row['order_id']),
    refundId: String(row['refund_id']),
    attemptId: String(row['attempt_id']),
    kopecks: BigInt(row['kopecks'] as string),
    status: row['status'] as RefundStatus,
    providerRefundId: row['provider_refund_id'] as string | null,
    createdAt: row['created_at'] as Date,
    nextLookAt: row['next_look_at'] as Date | null,
  };
}
