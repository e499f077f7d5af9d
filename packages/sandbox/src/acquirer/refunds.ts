import { randomUUID } from 'node:crypto';
import type { Qr, Refund } from './engine.ts';
import type { RefundOutcome } from './knobs.ts';

/** Takes a refund of a paid code; the same key is the same refund. Null: more than is left. */
export function refundQr(
  qr: Qr,
  { key, kopecks }: { key: string | null; kopecks: bigint },
): Refund | null {
  const known = key === null ? undefined : qr.refunds.find((refund) => refund.key === key);
  if (known !== undefined) return known;
  if (kopecks <= 0n || kopecks > qr.kopecks - refundedOf(qr, ['pending', 'succeeded'])) return null;

  const refund: Refund = { id: randomUUID(), key, kopecks, status: 'pending' };
  qr.refunds.push(refund);
  return refund;
}

/** What becomes of those that wait, as the knob says. */
export function settleRefunds(qr: Qr, outcome: RefundOutcome): void {
  if (outcome === 'hold') return;
  for (const refund of qr.refunds) {
    if (refund.status === 'pending') {
      refund.status = outcome === 'succeed' ? 'succeeded' : 'declined';
    }
  }
}

export function refundedOf(
  { refunds }: Qr,
  statuses: readonly Refund['status'][] = ['succeeded'],
): bigint {
  return refunds
    .filter(({ status }) => statuses.includes(status))
    .reduce((total, { kopecks }) => total + kopecks, 0n);
}
