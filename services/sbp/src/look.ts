import type { Append } from '@kopeck/core/receive';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import { paymentEvent } from './events.ts';
import { mayFollow, type Order } from './order.ts';
import type { Attempts } from './attempts.ts';
import type { Looks } from './looks.ts';
import { nextLookAt } from './poll-plan.ts';
import { ProviderError, type PaymentState, type SbpProvider } from './provider.ts';
import type { Providers } from './providers.ts';

export interface LookDeps {
  readonly attempts: Attempts;
  readonly looks: Looks;
  readonly providers: Providers;
  readonly append: Append;
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
  if (state?.attemptId !== order.attemptId) return await foreign(order, deps);
  if (order.creation === 'asked') await attempts.saveQr(order.attemptId, state.qr, now());

  const isSettled = await settle(order, state, { ...deps, app: provider.app });
  const { createdAt, expiresAt } = order;
  return isSettled ? null : nextLookAt({ createdAt, expiresAt: expiresAt ?? createdAt }, now());
}

/** Null: an id that came with a callback is none of the provider's. */
async function readState(
  provider: SbpProvider,
  paymentId: string,
  { creation }: Order,
): Promise<PaymentState | null> {
  try {
    return await provider.getState(paymentId);
  } catch (error) {
    const isNoId = error instanceof ProviderError && error.failure === 'rejected';
    if (isNoId && creation === 'asked') return null;
    throw error;
  }
}

/** The id came unsigned with a callback and was of another payment, or of none. */
async function foreign(order: Order, { looks, log }: LookDeps): Promise<null> {
  log.error('the payment is of another attempt', { attempt: order.attemptId });
  await looks.unbind(order.attemptId);
  return null;
}

/** True: nothing more is to be learnt. */
async function settle(
  order: Order,
  state: PaymentState,
  { looks, append, log, metrics, now, app }: LookDeps & { app: string },
): Promise<boolean> {
  const { status, paidKopecks, at } = state;
  if (status === 'pending') return false;
  if (!mayFollow(order.status, status)) return order.status === 'paid';

  const event = paymentEvent({ order, app, status }, state, now());
  await append(event);
  metrics.count('kopeck_sbp_payments_total', { status });
  if (status === 'paid' && paidKopecks !== order.kopecks) {
    // Booked as suspense and reviewed by a person; the shop must not deliver for it.
    log.error('another amount was paid than the order costs', { event: event.id });
    return true;
  }
  await looks.setStatus(order, status, status === 'paid' ? (at ?? now()) : null);
  log.info('payment settled', { event: event.id, status });
  return status === 'paid';
}
