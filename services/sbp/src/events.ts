import type { EventType, KopeckEvent, Payment } from '@kopeck/core/event';
import { makeEvent } from '@kopeck/core/make-event';
import { parseMoney, type Money } from '@kopeck/core/money';
import { formatRoubles } from '@kopeck/core/roubles';
import type { Order } from './order.ts';
import type { OrderStatus, PaymentState } from './provider.ts';

export function orderCreated(order: Order, receivedAt: Date): KopeckEvent {
  const { orderId, kopecks, createdAt } = order;
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
    data: { orderId, price, grants: [], user: null },
    evidence: '',
  });
}

const TYPE = {
  paid: 'payment.paid',
  failed: 'payment.failed',
  expired: 'payment.expired',
} as const satisfies Record<Exclude<OrderStatus, 'pending'>, EventType>;

/** What the provider has said of the order's payment, as an event; the reference is the shop's own id. */
export function paymentEvent(
  { order, app, status }: { order: Order; app: string; status: keyof typeof TYPE },
  { qr, paidKopecks, at, answers }: PaymentState,
  receivedAt: Date,
): KopeckEvent {
  const { provider, orderId } = order;
  const paid = paidKopecks === null ? null : roubles(paidKopecks);
  const data: Payment = {
    provider,
    app,
    paymentId: qr.paymentId,
    reference: orderId,
    paid,
    price: null,
    fee: null,
    swap: null,
    payer: null,
    recurring: null,
  };
  return makeEvent({
    source: 'sbp',
    type: TYPE[status],
    identity: [provider, qr.paymentId],
    subject: `payment:sbp:${provider}:${qr.paymentId}`,
    time: status === 'expired' ? order.expiresAt : at,
    receivedAt,
    network: 'main',
    money: paid,
    reference: orderId,
    data,
    evidence: JSON.stringify({ provider, answers }),
  });
}

function roubles(kopecks: bigint): Money {
  const money = parseMoney('RUB', formatRoubles(kopecks));
  if (money === null) throw new RangeError('an amount of roubles is above zero');
  return money;
}
