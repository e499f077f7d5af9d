import type { Grant } from '@kopeck/core/event';
import type { OrderStatus, ProviderCode } from './provider.ts';

/** How far the making of the code has come: see the migration. */
export type Creation = 'claimed' | 'asked' | 'made' | 'refused';

export interface Order {
  readonly orderId: string;
  readonly kopecks: bigint;
  readonly provider: ProviderCode;
  readonly attemptId: string;
  readonly creation: Creation;
  readonly leaseUntil: Date;
  readonly paymentId: string | null;
  readonly qrcId: string | null;
  readonly link: string | null;
  readonly expiresAt: Date | null;
  readonly status: OrderStatus;
  readonly createdAt: Date;
  readonly paidAt: Date | null;
  readonly nextLookAt: Date | null;
  readonly description: string | null;
  readonly returnUrl: string | null;
  readonly grants: readonly Grant[];
  /** Null: an order from before there was a page for the payer. */
  readonly payToken: string | null;
  readonly operationId: string | null;
}

export type Stage =
  | 'made'
  /** Somebody is at it. */
  | 'busy'
  /** Nothing live can be out there: a new attempt may be made. */
  | 'free'
  /** The provider may have made a code whose answer was lost. It dies at `expiresAt`. */
  | 'lost';

/** Clocks of ours and of the provider may differ by so much. */
const CLOCK_MARGIN_MS = 60_000;

export function stageOf(order: Order, now: Date): Stage {
  if (order.creation === 'made') return 'made';
  if (order.creation === 'refused') return 'free';
  if (order.leaseUntil > now) return 'busy';
  return order.creation === 'asked' && now < deadAt(order) ? 'lost' : 'free';
}

/** From when on a code of this attempt cannot be paid any more. */
export function deadAt({ expiresAt }: Pick<Order, 'expiresAt'>): Date {
  return new Date((expiresAt?.getTime() ?? 0) + CLOCK_MARGIN_MS);
}

/** What a shop is told. */
export function statusOf(order: Order, now: Date): OrderStatus {
  return stageOf(order, now) === 'free' && order.status === 'pending' ? 'failed' : order.status;
}

export type StatusStyle = 'kopeck' | 'legacy';

/** The three words of older shops: whether to deliver, not to, or to wait. */
const LEGACY: Readonly<Record<OrderStatus, string>> = {
  pending: 'pending',
  paid: 'completed',
  partially_refunded: 'completed',
  failed: 'failed',
  expired: 'failed',
  refunded: 'failed',
};

export function statusWord(status: OrderStatus, style: StatusStyle): string {
  return style === 'legacy' ? LEGACY[status] : status;
}

/** Neither failed nor expired is the end: money that comes later is money. After paid, it only goes back. */
const FOLLOWS: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ['paid', 'failed', 'expired'],
  failed: ['paid'],
  expired: ['paid'],
  paid: ['partially_refunded', 'refunded'],
  partially_refunded: ['refunded'],
  refunded: [],
};

export function mayFollow(before: OrderStatus, after: OrderStatus): boolean {
  return FOLLOWS[before].includes(after);
}

/** After a declined payment the same code can be tried again. */
export function canBePaid(status: OrderStatus): boolean {
  return status === 'pending' || status === 'failed';
}

/** The money has come, whatever became of it then. */
export function wasPaid({ status }: Pick<Order, 'status'>): boolean {
  return status === 'paid' || status === 'partially_refunded' || status === 'refunded';
}
