import { isDuplicateKey } from '@kopeck/runtime/database';
import type { Order } from './order.ts';
import type { CallbackHint, OrderStatus, ProviderCode } from './provider.ts';
import type { Sql } from './sql.ts';

/** sbp_orders once there may be a payment: when to look at it, and what was seen. */
export interface Looks {
  readonly due: (now: Date, limit: number) => Promise<readonly Order[]>;
  /** Moves the next look as long as nobody has moved it since; this is how copies share the work. */
  readonly move: (order: Order, to: Date | null) => Promise<boolean>;
  /** A callback moves the next look to now; false: no such attempt. */
  readonly hint: (provider: ProviderCode, hint: CallbackHint, now: Date) => Promise<boolean>;
  /** The hint was wrong: the payment is of somebody else. */
  readonly unbind: (attemptId: string) => Promise<void>;
  readonly setStatus: (order: Order, status: OrderStatus, paidAt: Date | null) => Promise<void>;
  readonly setRefunded: (order: Order, status: 'refunded' | 'partially_refunded') => Promise<void>;
  /** The operation is told of for a day only, and a refund may have to name it. */
  readonly keepOperation: (order: Order, operationId: string) => Promise<void>;
}

export function openLooks({ run, select }: Sql): Looks {
  return {
    due: (now, limit) =>
      select(
        `SELECT * FROM sbp_orders WHERE next_look_at <= ? AND payment_id IS NOT NULL
         ORDER BY next_look_at LIMIT ?`,
        [now, limit],
      ),

    move: async ({ orderId, nextLookAt }, to) =>
      (await run('UPDATE sbp_orders SET next_look_at = ? WHERE order_id = ? AND next_look_at = ?', [
        to,
        orderId,
        nextLookAt,
      ])) === 1,

    hint: (provider, callback, now) => hint(run, { provider, ...callback }, now),

    unbind: async (attemptId) => {
      await run(
        `UPDATE sbp_orders SET payment_id = NULL WHERE attempt_id = ? AND creation = 'asked'`,
        [attemptId],
      );
    },

    setStatus: async ({ orderId, status: before }, status, paidAt) => {
      await run('UPDATE sbp_orders SET status = ?, paid_at = ? WHERE order_id = ? AND status = ?', [
        status,
        paidAt,
        orderId,
        before,
      ]);
    },

    setRefunded: async ({ orderId }, status) => {
      await run(
        `UPDATE sbp_orders SET status = ?
         WHERE order_id = ? AND status IN ('paid', 'partially_refunded')`,
        [status, orderId],
      );
    },

    keepOperation: async ({ attemptId }, operationId) => {
      await run('UPDATE sbp_orders SET operation_id = ? WHERE attempt_id = ?', [
        operationId,
        attemptId,
      ]);
    },
  };
}

/** Only where the answer to the registration was lost, the callback is where the id is learnt from. */
async function hint(
  run: Sql['run'],
  { provider, attemptId, paymentId }: CallbackHint & { provider: ProviderCode },
  now: Date,
): Promise<boolean> {
  if (attemptId === null) {
    const byId = 'UPDATE sbp_orders SET next_look_at = ? WHERE provider = ? AND payment_id = ?';
    return (await run(byId, [now, provider, paymentId])) === 1;
  }
  try {
    const found = await run(
      `UPDATE sbp_orders SET next_look_at = ?,
         payment_id = IF(creation = 'asked', COALESCE(payment_id, ?), payment_id)
       WHERE provider = ? AND attempt_id = ?`,
      [now, paymentId, provider, attemptId],
    );
    return found === 1;
  } catch (error) {
    // The id is not signed, and this one belongs to another order already.
    if (!isDuplicateKey(error) || paymentId === null) throw error;
    return hint(run, { provider, attemptId, paymentId: null }, now);
  }
}
