import type { PaymentStatus, RefundState } from '../provider.ts';
import { wordIn } from '../provider-answer.ts';

/** `qrStatus` of GET /sbp/v2/qrs/{qrId}: the only place where expiry and cancelling show. */
const QR: Readonly<Record<string, PaymentStatus>> = {
  NEW: 'pending',
  IN_PROGRESS: 'pending',
  // The money itself shows in payment-info, sometimes later: until then there is no amount to believe.
  PAID: 'pending',
  CANCELLED: 'failed',
  EXPIRED: 'expired',
};

/** `paymentStatus` of payment-info: the last attempt to pay. It outweighs the code's own state. */
const PAYMENT: Readonly<Record<string, PaymentStatus>> = {
  SUCCESS: 'paid',
  IN_PROGRESS: 'pending',
  DECLINED: 'failed',
};

/** Words that are not in the tables (NO_INFO, and those the bank may yet invent) say nothing. */
export function stateOf(qrStatus: string | null, paymentStatus: string | null): PaymentStatus {
  return wordIn(PAYMENT, paymentStatus) ?? wordIn(QR, qrStatus) ?? 'pending';
}

const REFUND: Readonly<Record<string, RefundState['status']>> = {
  IN_PROGRESS: 'pending',
  COMPLETED: 'succeeded',
  DECLINED: 'failed',
};

export function refundStateOf(refundStatus: string | null): RefundState['status'] {
  return wordIn(REFUND, refundStatus) ?? 'pending';
}
