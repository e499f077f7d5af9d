/** What one payment gave of one plan to one user; no days: it was taken back. */
export interface PaidDays {
  /** The payment: times may be equal, and then this decides. */
  readonly subject: string;
  readonly paidAt: Date;
  readonly days: number;
}

const DAY_MS = 86_400_000;

/**
 * Until when a plan runs, from all payments for it in the order in which they were paid: each adds its
 * days to what is left, or to its own moment when nothing is. Null: no payment gives it (any more).
 */
export function activeUntil(payments: readonly PaidDays[]): Date | null {
  let until: number | null = null;
  for (const { paidAt, days } of payments.toSorted(inOrderOfPayment)) {
    if (days > 0) until = Math.max(paidAt.getTime(), until ?? 0) + days * DAY_MS;
  }
  return until === null ? null : new Date(until);
}

function inOrderOfPayment(a: PaidDays, b: PaidDays): number {
  const apart = a.paidAt.getTime() - b.paidAt.getTime();
  return apart === 0 ? (a.subject < b.subject ? -1 : 1) : apart;
}
