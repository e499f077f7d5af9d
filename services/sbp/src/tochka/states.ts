import type { PaymentStatus, RefundState } from '../provider.ts';
import { wordIn } from '../provider-answer.ts';

/** There is no word for "expired": our own clock says it. */
const PAYMENT: Readonly<Record<string, PaymentStatus>> = {
  NotStarted: 'pending',
  Received: 'pending',
  InProgress: 'pending',
  Accepted: 'paid',
  Rejected: 'failed',
};

export function stateOf(status: string | null): PaymentStatus {
  return wordIn(PAYMENT, status) ?? 'pending';
}

/** Of the many words on the way only two are the end of it. */
const REFUND: Readonly<Record<string, RefundState['status']>> = {
  Accepted: 'succeeded',
  Rejected: 'failed',
};

export function refundStateOf(status: string | null): RefundState['status'] {
  return wordIn(REFUND, status) ?? 'pending';
}
