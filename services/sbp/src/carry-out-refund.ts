import { refundEvent } from './events.ts';
import type { LookDeps } from './look.ts';
import type { Order } from './order.ts';
import {
  ProviderError,
  type RefundRequest,
  type RefundState,
  type SbpProvider,
} from './provider.ts';
import { nextRefundLook, refundFailed, refundUnclear, statusAfter } from './refund.ts';
import type { Refund } from './refund.ts';

/** Younger than this, a refund that the provider does not know may still be on its way to it. */
const UNDER_WAY_MS = 60_000;

/** Older than this, a refund of which nothing can be learnt is a matter for a person. */
const UNCLEAR_MS = 60 * 60_000;

/**
 * Takes a refund one step on: sends it if nobody has, else reads back what came of it. Returns when to
 * look next; null is never. A refund is sent at most once: whoever marks it as sent sends it, and one
 * whose sender died is only asked about.
 */
export async function carryOutRefund(refund: Refund, deps: LookDeps): Promise<Date | null> {
  const { attempts, providers, refunds, now } = deps;
  const order = await attempts.find(refund.orderId);
  const provider = order === null ? undefined : providers[order.provider];
  if (order === null || provider === undefined) throw new Error('the provider is not configured');

  const isOurs = refund.status === 'intended' && (await refunds.startSending(refund));
  const state = isOurs
    ? await send(refund, order, { ...deps, provider })
    : await readBack(refund, order, { ...deps, provider });
  if (state !== null && (await settle(refund, order, { ...deps, provider, state }))) return null;
  const next = nextRefundLook(refund, now());
  if (state === null) reportUnclear(refund, next, deps);
  return next;
}

type Deps = LookDeps & { readonly provider: SbpProvider };

function requestOf(refund: Refund, order: Order): RefundRequest {
  return {
    refundKey: refund.refundKey,
    attemptId: order.attemptId,
    paymentId: order.paymentId ?? '',
    operationId: order.operationId,
    kopecks: refund.kopecks,
    paidKopecks: order.kopecks,
  };
}

const FAILED: RefundState = { status: 'failed', providerRefundId: null, answers: [] };

/** Null: nobody knows. */
async function send(
  refund: Refund,
  order: Order,
  { provider, refunds, log }: Deps,
): Promise<RefundState | null> {
  try {
    return await provider.refund(requestOf(refund, order));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const { failure, message } = error;
    log.warn('a refund did not go through', { refund: refund.refundKey, failure, message });
    if (failure === 'rejected' || failure === 'auth') return FAILED;
    // No connection came about: nothing has left this house, and it may be sent later.
    if (failure === 'unreachable') {
      await refunds.save(refund, { status: 'intended', providerRefundId: null });
    }
    return null;
  }
}

/** Null: nobody knows yet. */
async function readBack(
  refund: Refund,
  order: Order,
  { provider, refunds, now }: Deps,
): Promise<RefundState | null> {
  const ageMs = now().getTime() - refund.createdAt.getTime();
  const { providerRefundId } = refund;
  const others = (await refunds.of(order.orderId)).filter(({ status }) => status !== 'failed');
  const isOnlyOne = others.length <= 1;
  try {
    const wasAccepted = refund.status === 'pending';
    const sent = { ...requestOf(refund, order), providerRefundId, ageMs, wasAccepted, isOnlyOne };
    return await provider.readRefund(sent);
  } catch (error) {
    const isUnknownThere = error instanceof ProviderError && error.failure === 'rejected';
    if (!isUnknownThere || providerRefundId !== null) throw error;
    return ageMs >= UNDER_WAY_MS ? FAILED : null;
  }
}

/** True: it is decided. First the event, durably, then what the shop sees. */
async function settle(
  refund: Refund,
  order: Order,
  { provider, state, refunds, looks, append, incidents, log, now }: Deps & { state: RefundState },
): Promise<boolean> {
  const { status, providerRefundId } = state;
  if (status === 'succeeded') {
    const event = refundEvent({ order, app: provider.app, status: refund }, state, now());
    await append(event);
    incidents.close(refundFailed(order));
    log.info('refund settled', { event: event.id });
  }
  await refunds.save(refund, { status, providerRefundId });
  if (status === 'succeeded') {
    // Read anew: another refund of this order may have succeeded meanwhile.
    const after = statusAfter(order, refund, await refunds.of(order.orderId));
    await looks.setRefunded(order, after);
  }
  if (status === 'failed') incidents.open(refundFailed(order), { refund: refund.refundKey });
  if (status === 'pending') return false;
  incidents.close(refundUnclear(refund));
  // While it was not decided, money that went back by hand could not be told from it.
  await looks.hint(order.provider, { attemptId: order.attemptId, paymentId: null }, now());
  return true;
}

/** Until the plan ends: then whoever was told has had two months. */
function reportUnclear(refund: Refund, next: Date | null, { incidents, now }: LookDeps): void {
  if (now().getTime() - refund.createdAt.getTime() < UNCLEAR_MS) return;
  const kind = refundUnclear(refund);
  if (next === null) incidents.close(kind);
  else incidents.open(kind, { refund: refund.refundKey });
}
