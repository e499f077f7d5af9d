import { isDuplicateKey } from '@kopeck/runtime/database';
import type { Order } from './order.ts';
import type { Qr } from './provider.ts';
import type { Sql } from './sql.ts';

export type NewOrder = Pick<
  Order,
  | 'orderId'
  | 'kopecks'
  | 'provider'
  | 'attemptId'
  | 'leaseUntil'
  | 'createdAt'
  | 'description'
  | 'returnUrl'
  | 'grants'
  | 'payToken'
>;

/** A new try: who makes it, under which id, and until when nobody else does. */
export type Attempt = Pick<Order, 'provider' | 'attemptId' | 'leaseUntil'>;

/**
 * sbp_orders while its code is being made. Each statement stands alone and says in its WHERE what it
 * takes for granted; the booleans tell whether that was so. No lock outlives a statement.
 */
export interface Attempts {
  readonly find: (orderId: string) => Promise<Order | null>;
  /** False: the order is there already. */
  readonly insert: (order: NewOrder) => Promise<boolean>;
  /** Takes an order whose attempt came to nothing; false: another was faster. */
  readonly retake: (before: Order, attempt: Attempt) => Promise<boolean>;
  /** Takes an order whose provider's answer was lost, to ask for it; false: another was faster. */
  readonly recover: (before: Order, leaseUntil: Date) => Promise<boolean>;
  readonly findByToken: (payToken: string) => Promise<Order | null>;
  /** Says that the provider is going to be asked; false: the lease has passed to another. */
  readonly startAsking: (attemptId: string, expiresAt: Date) => Promise<boolean>;
  readonly saveQr: (attemptId: string, qr: Qr, nextLookAt: Date) => Promise<void>;
  /** 'refused': nothing was made. 'asked': nobody knows. The lease ends in both cases. */
  readonly giveUp: (attemptId: string, outcome: 'refused' | 'asked', now: Date) => Promise<void>;
}

export function openAttempts({ run, select }: Sql): Attempts {
  return {
    find: async (orderId) =>
      (await select('SELECT * FROM sbp_orders WHERE order_id = ?', [orderId]))[0] ?? null,

    insert: (order) => insert(run, order),

    findByToken: async (payToken) =>
      (await select('SELECT * FROM sbp_orders WHERE pay_token = ?', [payToken]))[0] ?? null,

    retake: async (before, { provider, attemptId, leaseUntil }) =>
      (await run(
        `UPDATE sbp_orders SET provider = ?, attempt_id = ?, lease_until = ?, creation = 'claimed',
           payment_id = NULL, expires_at = NULL, next_look_at = NULL
         WHERE order_id = ? AND attempt_id = ? AND creation = ?`,
        [provider, attemptId, leaseUntil, before.orderId, before.attemptId, before.creation],
      )) === 1,

    recover: async ({ attemptId, leaseUntil: before }, leaseUntil) =>
      (await run(
        `UPDATE sbp_orders SET lease_until = ?
         WHERE attempt_id = ? AND creation = 'asked' AND lease_until = ?`,
        [leaseUntil, attemptId, before],
      )) === 1,

    startAsking: async (attemptId, expiresAt) =>
      (await run(
        `UPDATE sbp_orders SET creation = 'asked', expires_at = ?
         WHERE attempt_id = ? AND creation = 'claimed'`,
        [expiresAt, attemptId],
      )) === 1,

    saveQr: async (attemptId, { paymentId, qrcId, link }, nextLookAt) => {
      await run(
        `UPDATE sbp_orders SET creation = 'made', payment_id = ?, qrc_id = ?, link = ?,
           next_look_at = COALESCE(next_look_at, ?)
         WHERE attempt_id = ? AND creation = 'asked'`,
        [paymentId, qrcId, link, nextLookAt, attemptId],
      );
    },

    giveUp: async (attemptId, outcome, now) => {
      await run(
        `UPDATE sbp_orders SET creation = ?, lease_until = ?
         WHERE attempt_id = ? AND creation IN ('claimed', 'asked')`,
        [outcome, now, attemptId],
      );
    },
  };
}

async function insert(run: Sql['run'], order: NewOrder): Promise<boolean> {
  const { orderId, kopecks, provider, attemptId, leaseUntil, createdAt } = order;
  const { description, returnUrl, grants, payToken } = order;
  try {
    await run(
      `INSERT INTO sbp_orders
         (order_id, kopecks, provider, attempt_id, creation, lease_until, created_at,
          description, return_url, grants, pay_token)
       VALUES (?, ?, ?, ?, 'claimed', ?, ?, ?, ?, ?, ?)`,
      // prettier-ignore
      [orderId, kopecks, provider, attemptId, leaseUntil, createdAt,
       description, returnUrl, JSON.stringify(grants), payToken],
    );
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
