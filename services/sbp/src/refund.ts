import type { Order } from './order.ts';

export type RefundStatus =
  /** Written down, not sent yet. */
  | 'intended'
  /** Sent, and nobody knows what came of it. It is never sent again. */
  | 'sent'
  /** The provider is at it. */
  | 'pending'
  | 'succeeded'
  | 'failed';

export interface Refund {
  readonly refundKey: string;
  readonly orderId: string;
  /** The shop's own id of the refund. */
  readonly refundId: string;
  readonly attemptId: string;
  readonly kopecks: bigint;
  readonly status: RefundStatus;
  readonly providerRefundId: string | null;
  readonly createdAt: Date;
  readonly nextLookAt: Date | null;
}

/** All that went back, or may yet. */
export function takenBack(refunds: readonly Refund[]): bigint {
  return sum(refunds.filter(({ status }) => status !== 'failed'));
}

/** What an order is once this refund has succeeded. */
export function statusAfter(
  order: Order,
  refund: Refund,
  refunds: readonly Refund[],
): 'refunded' | 'partially_refunded' {
  const before = refunds.filter(
    ({ status, refundKey }) => status === 'succeeded' && refundKey !== refund.refundKey,
  );
  return sum([...before, refund]) >= order.kopecks ? 'refunded' : 'partially_refunded';
}

function sum(refunds: readonly Refund[]): bigint {
  return refunds.reduce((total, { kopecks }) => total + kopecks, 0n);
}

/** The incident of an order whose payer has not been given back what the shop wanted. */
export function refundFailed({ attemptId }: Pick<Order, 'attemptId'>): string {
  return `sbp-refund-failed:${attemptId.slice(0, 8)}`;
}

/** The incident of an order of which a part went back without our doing, and nobody tells how much. */
export function refundUntold({ attemptId }: Pick<Order, 'attemptId'>): string {
  return `sbp-refund-untold:${attemptId.slice(0, 8)}`;
}

/** The incident of a refund of which nothing can be learnt. */
export function refundUnclear({ refundKey }: Refund): string {
  return `sbp-refund-unclear:${refundKey.slice(0, 8)}`;
}

/** What a shop is told: whether it was sent is no business of its. */
export function shownStatus({ status }: Refund): 'pending' | 'succeeded' | 'failed' {
  return status === 'intended' || status === 'sent' ? 'pending' : status;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Up to which age a refund that is not decided is read back, and how often. */
const PLAN = [
  { untilAge: MINUTE, every: 5 * SECOND },
  { untilAge: 10 * MINUTE, every: 30 * SECOND },
  { untilAge: DAY, every: 10 * MINUTE },
  { untilAge: 60 * DAY, every: 6 * 60 * MINUTE },
] as const;

/** Null: two months have told nothing. */
export function nextRefundLook({ createdAt }: Refund, now: Date): Date | null {
  const age = now.getTime() - createdAt.getTime();
  const every = PLAN.find(({ untilAge }) => age < untilAge)?.every;
  return every === undefined ? null : new Date(now.getTime() + every);
}
