import type { RowDataPacket } from 'mysql2/promise';
import type { PaymentState } from './payment.ts';

/** What one payment gave of one plan to one user; no days: it was taken back. */
export interface PaidDays {
  /** The payment: times may be equal, and then this decides. */
  readonly subject: string;
  readonly paidAt: Date;
  readonly days: number;
}

export interface PlanOf {
  readonly user: string;
  readonly plan: string;
}

/** A row of `subscription_grants`. */
export type Given = PlanOf & PaidDays;

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

/** A test network's money grants nothing. One payment may give the same plan more than once. */
export function givenBy(subject: string, { event, grants }: PaymentState): readonly Given[] {
  if (event === null || event.network !== 'main') return [];
  const byPlan = new Map<string, Given>();
  for (const grant of grants) {
    if (grant.kind !== 'subscription') continue;
    const { user, plan } = grant;
    const days = (byPlan.get(planText(grant))?.days ?? 0) + grant.days;
    byPlan.set(planText(grant), { subject, user, plan, days, paidAt: new Date(event.time) });
  }
  return [...byPlan.values()];
}

export function givenOf(row: RowDataPacket): Given {
  return {
    subject: String(row['subject']),
    user: String(row['user']),
    plan: String(row['plan']),
    days: Number(row['days']),
    paidAt: row['paid_at'] as Date,
  };
}

/** One text for a plan of a user, as a key of maps. */
export function planText({ user, plan }: PlanOf): string {
  return JSON.stringify([user, plan]);
}
