import type { Append } from '@kopeck/core/receive';
import type { Incidents } from '@kopeck/runtime/incidents';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import type { Attempts } from './attempts.ts';
import { foreignRefundEvent, paymentEvent } from './events.ts';
import type { Looks } from './looks.ts';
import { deadAt, mayFollow, wasPaid, type Order } from './order.ts';
import { nextLookAt } from './poll-plan.ts';
import { ProviderError, type PaymentState, type SbpProvider } from './provider.ts';
import type { Providers } from './providers.ts';
import { refundFailed, refundUntold, takenBack } from './refund.ts';
import type { Refunds } from './refunds.ts';

export interface LookDeps {
  readonly attempts: Attempts;
  readonly looks: Looks;
  readonly refunds: Refunds;
  readonly providers: Providers;
  readonly append: Append;
  readonly incidents: Incidents;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

/**
 * Reads the order's payment from its provider and makes known what is new: first the event, durably,
 * then the status that the shop sees. A crash in between is mended by the next look, which finds the
 * old status and appends the same event again, in vain. Returns when to look next; null is never.
 */
export async function look(order: Order, deps: LookDeps): Promise<Date | null> {
  const { attempts, providers, now } = deps;
  const provider = providers[order.provider];
  if (provider === undefined) throw new Error(`${order.provider} is not configured`);
  if (order.paymentId === null) return null;

  const state = await readState(provider, order.paymentId, order);
  if (state === null || !isOf(order, state)) return await foreign(order, deps);
  if (order.creation === 'asked' && state.qr !== null) {
    await attempts.saveQr(order.attemptId, state.qr, now());
  }

  const seen = provider.tellsExpiry ? state : expireByClock(order, state, now());
  const isSettled = await settle(order, seen, { ...deps, app: provider.app });
  const { createdAt, expiresAt } = order;
  return isSettled ? null : nextLookAt({ createdAt, expiresAt: expiresAt ?? createdAt }, now());
}

/** Null: an id that came with a callback is none of the provider's. */
async function readState(
  provider: SbpProvider,
  paymentId: string,
  { creation, createdAt }: Order,
): Promise<PaymentState | null> {
  try {
    return await provider.getState(paymentId, createdAt);
  } catch (error) {
    const isNoId = error instanceof ProviderError && error.failure === 'rejected';
    if (isNoId && creation === 'asked') return null;
    throw error;
  }
}

/** A provider that knows no ids of ours has given us the payment's id itself. */
function isOf({ attemptId }: Order, state: PaymentState): boolean {
  return state.attemptId === null || state.attemptId === attemptId;
}

function expireByClock(order: Order, state: PaymentState, now: Date): PaymentState {
  const isOver = state.status === 'pending' && now >= deadAt(order);
  return isOver ? { ...state, status: 'expired' } : state;
}

/** The id came unsigned with a callback and was of another payment, or of none. */
async function foreign(order: Order, { looks, log }: LookDeps): Promise<null> {
  log.error('the payment is of another attempt', { attempt: order.attemptId });
  await looks.unbind(order.attemptId);
  return null;
}

type SettleDeps = LookDeps & { readonly app: string };

/** True: nothing more is to be learnt. */
async function settle(order: Order, state: PaymentState, deps: SettleDeps): Promise<boolean> {
  const { status, at } = state;
  const { looks, append, log, metrics, now, app } = deps;
  if (status === 'pending') return false;
  if (wasPaid(order)) {
    await takeBack(order, state, deps);
    return true;
  }
  if (!mayFollow(order.status, status)) return false;

  const event = paymentEvent({ order, app, status }, state, now());
  await append(event);
  metrics.count('kopeck_sbp_payments_total', { status });
  if (isOtherAmount(order, state)) {
    // The ledger books it as suspense and alerts a person; the shop must not deliver for it.
    log.error('another amount was paid than the order costs', { event: event.id });
    return true;
  }
  if (state.operationId !== null) await looks.keepOperation(order, state.operationId.slice(0, 64));
  await looks.setStatus(order, status, status === 'paid' ? (at ?? now()) : null);
  log.info('payment settled', { event: event.id, status });
  if (status === 'paid') await takeBack({ ...order, status, paidAt: at ?? now() }, state, deps);
  return status === 'paid';
}

function isOtherAmount({ kopecks }: Order, { status, paidKopecks }: PaymentState): boolean {
  return status === 'paid' && paidKopecks !== null && paidKopecks !== kopecks;
}

/**
 * Whoever looks at a paid order has heard something: refunds under way are read too.
 * Books what went back without our doing: more than all refunds of ours that may have been carried out.
 */
async function takeBack(order: Order, state: PaymentState, deps: SettleDeps): Promise<void> {
  await deps.refunds.hint(order.orderId, deps.now());
  const { refundedKopecks: refunded } = state;
  if (refunded === null || refunded === 0n) return;
  const ours = takenBack(await deps.refunds.of(order.orderId));
  if (refunded === 'part') {
    if (ours === 0n) deps.incidents.open(refundUntold(order), { attempt: order.attemptId });
    return;
  }
  if (refunded <= ours || order.status === 'refunded') return;

  // A part may follow a part: each sum that has gone back is an event of its own, however often it is seen.
  const after = refunded >= order.kopecks ? 'refunded' : 'partially_refunded';
  await deps.append(
    foreignRefundEvent({ order, app: deps.app, status: refunded }, state, deps.now()),
  );
  await deps.looks.setRefunded(order, after);
  if (after !== order.status) deps.incidents.close(refundFailed(order));
  if (after === 'refunded') deps.incidents.close(refundUntold(order));
}
