import type { PaymentStatus, RefundState } from '../provider.ts';
import { wordIn } from '../provider-answer.ts';

/** `Status` of GetState. The bank's table calls NEW and FORM_SHOWED final; they are not. */
const PAYMENT: Readonly<Record<string, PaymentStatus>> = {
  NEW: 'pending',
  FORM_SHOWED: 'pending',
  AUTHORIZING: 'pending',
  AUTHORIZED: 'pending',
  CONFIRMING: 'pending',
  CONFIRMED: 'paid',
  REFUNDING: 'paid',
  ASYNC_REFUNDING: 'paid',
  PARTIAL_REFUNDED: 'paid',
  REFUNDED: 'paid',
  REJECTED: 'failed',
  AUTH_FAIL: 'failed',
  CANCELED: 'failed',
  REVERSED: 'failed',
  ATTEMPTS_EXPIRED: 'failed',
  DEADLINE_EXPIRED: 'expired',
};

export function stateOf(status: string | null): PaymentStatus {
  return wordIn(PAYMENT, status) ?? 'pending';
}

const REFUND: Readonly<Record<string, RefundState['status']>> = {
  REFUNDED: 'succeeded',
  PARTIAL_REFUNDED: 'succeeded',
  REFUNDING: 'pending',
  ASYNC_REFUNDING: 'pending',
};

/** What the payment's state says of its only refund; null: nothing. */
export function refundStateOf(status: string | null): RefundState['status'] | null {
  return wordIn(REFUND, status);
}
