import { createHash } from 'node:crypto';
import { jsonNumber } from '@kopeck/core/json-number';
import { parseRoubles } from '@kopeck/core/roubles';
import { isUnderWay, knobsFor, type Bank } from './dialect.ts';
import type { Engine, Qr, QrStatus } from './engine.ts';
import type { Knobs } from './knobs.ts';
import { refundedOf, settleRefunds } from './refunds.ts';

const STATUS: Readonly<Record<QrStatus, string>> = {
  new: 'NEW',
  paid: 'CONFIRMED',
  cancelled: 'CANCELED',
  expired: 'DEADLINE_EXPIRED',
};

const ATTEMPTS = 3;

/** `Status`, as GetState says it. */
export function statusOf(qr: Qr, engine: Engine, knobs: Knobs): string {
  settleRefunds(qr, knobs.refunds);
  if (isUnderWay(qr, knobs)) return 'CONFIRMING';
  if (knobs.holdStatus) return STATUS[engine.unpaidStatusOf(qr)];
  if (qr.refunds.some(({ status }) => status === 'pending')) return 'ASYNC_REFUNDING';
  const back = refundedOf(qr);
  if (back > 0n) return back >= qr.kopecks ? 'REFUNDED' : 'PARTIAL_REFUNDED';
  const declined = qr.attempts.filter(({ result }) => result === 'declined').length;
  const status = engine.statusOf(qr);
  return status === 'new' && declined >= ATTEMPTS ? 'REJECTED' : STATUS[status];
}

export function stateView(qr: Qr, bank: Bank): object {
  return { ...common(qr, bank), Status: statusOf(qr, bank.engine, knobsFor(qr, bank)) };
}

export function common(qr: Qr | undefined, { knobs }: Bank): object {
  if (qr === undefined) return {};
  const amount = jsonNumber(amountOf(qr, knobs.current));
  return { PaymentId: paymentIdOf(qr), OrderId: qr.order, Amount: amount };
}

/** Kopecks. */
export function amountOf(qr: Qr, { claimedAmount }: Knobs): string {
  return String(claimedAmount === null ? qr.kopecks : parseRoubles(claimedAmount));
}

/** A number, as the bank has them; the same for the same code, and for no other. */
export function paymentIdOf({ qrcId }: Qr): string {
  return String(createHash('sha256').update(qrcId).digest().readUIntBE(0, 6));
}
