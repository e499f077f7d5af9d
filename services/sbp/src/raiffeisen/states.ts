import type { OrderStatus } from '../provider.ts';

/** `qrStatus` of GET /sbp/v2/qrs/{qrId}: the only place where expiry and cancelling show. */
const QR: Readonly<Record<string, OrderStatus>> = {
  NEW: 'pending',
  IN_PROGRESS: 'pending',
  // The money itself shows in payment-info, sometimes later: until then there is no amount to believe.
  PAID: 'pending',
  CANCELLED: 'failed',
  EXPIRED: 'expired',
};

/** `paymentStatus` of payment-info: the last attempt to pay. It outweighs the code's own state. */
const PAYMENT: Readonly<Record<string, OrderStatus>> = {
  SUCCESS: 'paid',
  IN_PROGRESS: 'pending',
  DECLINED: 'failed',
};

/** Words that are not in the tables (NO_INFO, and those the bank may yet invent) say nothing. */
export function stateOf(qrStatus: string | null, paymentStatus: string | null): OrderStatus {
  return at(PAYMENT, paymentStatus) ?? at(QR, qrStatus) ?? 'pending';
}

function at(
  table: Readonly<Record<string, OrderStatus>>,
  word: string | null,
): OrderStatus | undefined {
  return word !== null && Object.hasOwn(table, word) ? table[word] : undefined;
}
