import type { PaymentStatus } from '../provider.ts';
import { wordIn } from '../provider-answer.ts';

/** `status` of the upstream, which may call paid `completed`. */
const PAYMENT: Readonly<Record<string, PaymentStatus>> = {
  pending: 'pending',
  paid: 'paid',
  completed: 'paid',
  failed: 'failed',
  expired: 'expired',
};

export function stateOf(status: string | null): PaymentStatus {
  return wordIn(PAYMENT, status) ?? 'pending';
}
