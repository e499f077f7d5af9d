import type { EventType, KopeckEvent, Payment } from '@kopeck/core/event';
import { makeEvent } from '@kopeck/core/make-event';
import { parseMoney, type Money } from '@kopeck/core/money';
import { formatRoubles } from '@kopeck/core/roubles';
import type { Order } from './order.ts';
import type { PaymentState, PaymentStatus } from './provider.ts';
import type { Refund } from './refund.ts';

export function orderCreated(order: Order, receivedAt: Date): KopeckEvent {
  const { orderId, kopecks, createdAt, grants } = order;
  const price = roubles(kopecks);
  return makeEvent({
    source: 'sbp',
    type: 'order.created',
    identity: [orderId],
    subject: `order:sbp:${orderId}`,
    time: createdAt,
    receivedAt,
    network: 'main',
    money: price,
    reference: orderId,
    data: { orderId, price, grants, user: grants[0]?.user ?? null },
    evidence: '',
  });
}

const TYPE = {
  paid: 'payment.paid',
  failed: 'payment.failed',
  expired: 'payment.expired',
} as const satisfies Record<Exclude<PaymentStatus, 'pending'>, EventType>;

interface Of<S> {
  readonly order: Order;
  /** The merchant that took the money. */
  readonly app: string;
  readonly status: S;
}

/** What the provider has said of the order's payment, as an event; the reference is the shop's own id. */
export function paymentEvent(
  { order, app, status }: Of<keyof typeof TYPE>,
  { paidKopecks, at, answers }: PaymentState,
  receivedAt: Date,
): KopeckEvent {
  const paid = status === 'paid' ? roubles(paidKopecks ?? order.kopecks) : null;
  return makeEvent({
    ...common(order, answers, receivedAt),
    type: TYPE[status],
    identity: identityOf(order),
    time: status === 'expired' ? order.expiresAt : at,
    money: paid,
    data: { ...payment(order, app), paid },
  });
}

/** A refund that the shop asked for has reached the payer. */
export function refundEvent(
  { order, app, status: refund }: Of<Refund>,
  { providerRefundId, answers }: { providerRefundId: string | null; answers: readonly string[] },
  receivedAt: Date,
): KopeckEvent {
  const refundId = providerRefundId ?? refund.refundKey;
  const refunded = roubles(refund.kopecks);
  return makeEvent({
    ...common(order, answers, receivedAt),
    type: 'payment.refunded',
    identity: [...identityOf(order), refundId],
    time: null,
    money: refunded,
    data: { ...payment(order, app), refundId, refunded, cumulative: null },
  });
}

/** More has gone back than we have sent: somebody did it in the provider's cabinet. */
export function foreignRefundEvent(
  { order, app, status: kopecks }: Of<bigint>,
  { answers }: PaymentState,
  receivedAt: Date,
): KopeckEvent {
  const cumulative = roubles(kopecks);
  return makeEvent({
    ...common(order, answers, receivedAt),
    type: 'payment.refunded',
    identity: [...identityOf(order), cumulative.amount],
    time: null,
    money: cumulative,
    data: { ...payment(order, app), refundId: null, refunded: null, cumulative },
  });
}

function common({ provider, orderId, ...order }: Order, answers: readonly string[], at: Date) {
  return {
    source: 'sbp',
    subject: `payment:sbp:${provider}:${order.paymentId}`,
    receivedAt: at,
    network: 'main',
    reference: orderId,
    evidence: JSON.stringify({ provider, answers }),
  } as const;
}

function identityOf({ provider, paymentId }: Order): readonly string[] {
  return [provider, paymentId ?? ''];
}

function payment({ provider, orderId, paymentId }: Order, app: string): Payment {
  return {
    provider,
    app,
    paymentId: paymentId ?? '',
    reference: orderId,
    paid: null,
    price: null,
    fee: null,
    swap: null,
    payer: null,
    recurring: null,
  };
}

function roubles(kopecks: bigint): Money {
  const money = parseMoney('RUB', formatRoubles(kopecks));
  if (money === null) throw new RangeError('an amount of roubles is above zero');
  return money;
}
