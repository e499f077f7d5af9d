import type { PaymentStatus, RefundState } from '../provider.ts';
import { wordIn } from '../provider-answer.ts';

const PAYMENT: Readonly<Record<string, PaymentStatus>> = {
  pending: 'pending',
  // Not of SBP, which holds no money; should it come, nothing was paid yet.
  waiting_for_capture: 'pending',
  succeeded: 'paid',
  canceled: 'failed',
};

/** `status`, and the `reason` of a payment that was cancelled: one of them is that its hour is over. */
export function stateOf(status: string | null, reason: string | null): PaymentStatus {
  if (status === 'canceled' && reason === 'expired_on_confirmation') return 'expired';
  return wordIn(PAYMENT, status) ?? 'pending';
}

const REFUND: Readonly<Record<string, RefundState['status']>> = {
  pending: 'pending',
  succeeded: 'succeeded',
  canceled: 'failed',
};

export function refundStateOf(status: string | null): RefundState['status'] {
  return wordIn(REFUND, status) ?? 'pending';
}
