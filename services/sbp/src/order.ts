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
export function deadAt({ expiresAt }: Order): Date {
  return new Date((expiresAt?.getTime() ?? 0) + CLOCK_MARGIN_MS);
}

/** What a shop is told. */
export function statusOf(order: Order, now: Date): OrderStatus {
  return stageOf(order, now) === 'free' ? 'failed' : order.status;
}

/** Neither failed nor expired is the end: money that comes later is money. Paid is. */
const FOLLOWS: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ['paid', 'failed', 'expired'],
  failed: ['paid'],
  expired: ['paid'],
  paid: [],
};

export function mayFollow(before: OrderStatus, after: OrderStatus): boolean {
  return FOLLOWS[before].includes(after);
}
