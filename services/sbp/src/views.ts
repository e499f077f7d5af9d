import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles } from '@kopeck/core/roubles';
import { statusOf, statusWord, type Order, type StatusStyle } from './order.ts';
import { shownStatus, type Refund } from './refund.ts';

/** How an order and its refunds look to a shop. */
export interface ViewOptions {
  readonly now: Date;
  readonly style: StatusStyle;
  /** Where payers reach this service: `https://pay.shop`. */
  readonly publicUrl: string;
}

export function paymentView(order: Order, options: ViewOptions): object {
  const { orderId, qrcId, link, expiresAt } = order;
  return {
    success: true,
    orderId,
    qrcId,
    qr: link,
    status: wordOf(order, options),
    provider: order.provider,
    ...payUrl(order, options),
    ...(expiresAt !== null && { expiresAt: naive(expiresAt) }),
  };
}

export function statusView(order: Order, options: ViewOptions): object {
  const { orderId, kopecks, createdAt, paidAt, qrcId, link } = order;
  return {
    success: true,
    orderId,
    status: wordOf(order, options),
    amount: jsonNumber(formatRoubles(kopecks)),
    createdAt: naive(createdAt),
    ...(paidAt !== null && { paidAt: naive(paidAt) }),
    ...(qrcId !== null && { qrcId }),
    ...(link !== null && { qr: link, ...payUrl(order, options) }),
  };
}

export function refundView(refund: Refund): object {
  const { orderId, refundId, kopecks } = refund;
  const amount = jsonNumber(formatRoubles(kopecks));
  return { success: true, orderId, refundId, status: shownStatus(refund), amount };
}

function wordOf(order: Order, { now, style }: ViewOptions): string {
  return statusWord(statusOf(order, now), style);
}

function payUrl({ payToken }: Order, { publicUrl }: ViewOptions): object {
  return payToken === null ? {} : { payUrl: `${publicUrl}/pay/${payToken}` };
}

/** UTC without a zone, as shops have always got it. */
export function naive(date: Date): string {
  return date.toISOString().slice(0, 19);
}
