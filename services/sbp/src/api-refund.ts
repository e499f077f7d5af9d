import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { viewOptions, type StatusDeps } from './api.ts';
import { apiError, NOT_FOUND } from './api-errors.ts';
import { carryOutRefund } from './carry-out-refund.ts';
import { look, type LookDeps } from './look.ts';
import { canBePaid, stageOf, type Order } from './order.ts';
import { readRefundRequest } from './payment-request.ts';
import { ProviderError, type SbpProvider } from './provider.ts';
import type { Refund } from './refund.ts';
import type { Intent } from './refunds.ts';
import { refundView, statusView } from './views.ts';

export type RefundDeps = LookDeps & StatusDeps;

type OfOrder = RequestHandler<{ orderId: string }>;

/** While this request is at it, the looker is not. Longer than the provider is waited for. */
const LEASE_MS = 60_000;

const REFUSAL: Readonly<Record<Exclude<Intent['kind'], 'new' | 'known'>, Error>> = {
  'no-order': NOT_FOUND,
  'not-paid': apiError(409, 'Order is not paid'),
  'too-much': apiError(409, 'Refund exceeds the payment'),
  conflict: apiError(409, 'Refund already exists'),
};

/** POST /api/payment/{orderId}/refund: the same refundId is the same refund, sent once. */
export function postRefund(deps: RefundDeps): OfOrder {
  const { refunds, now } = deps;
  return async (request, response) => {
    const { orderId } = request.params;
    const intent = await refunds.intend({
      ...readRefundRequest(request.body),
      orderId,
      refundKey: randomUUID().replaceAll('-', ''),
      createdAt: now(),
      nextLookAt: new Date(now().getTime() + LEASE_MS),
    });
    if (intent.kind !== 'new' && intent.kind !== 'known') throw REFUSAL[intent.kind];
    if (intent.kind === 'new') await begin(intent.refund, deps);

    const { refundKey } = intent.refund;
    const after = (await refunds.of(orderId)).find((one) => one.refundKey === refundKey);
    response.set('Cache-Control', 'no-store').json(refundView(after ?? intent.refund));
  };
}

/** It is written down: whatever happens here, the looker goes on with it. */
async function begin(refund: Refund, deps: RefundDeps): Promise<void> {
  try {
    await deps.refunds.move(refund, await carryOutRefund(refund, deps));
  } catch (error) {
    deps.log.warn('a refund is carried out later', { refund: refund.refundKey, error });
  }
}

const CANNOT = apiError(409, 'The provider cannot cancel a payment');
const TOO_LATE = apiError(409, 'Order cannot be cancelled');

/** POST /api/payment/{orderId}/cancel: its code cannot be paid any more. */
export function postCancel(deps: RefundDeps): OfOrder {
  const { attempts, providers, now } = deps;
  return async (request, response) => {
    const { orderId } = request.params;
    const order = await attempts.find(orderId);
    if (order === null) throw NOT_FOUND;
    const provider = providers[order.provider];
    if (provider?.cancel === undefined) throw CANNOT;
    if (stageOf(order, now()) !== 'made' || !canBePaid(order.status)) throw TOO_LATE;

    await cancel(order, provider, deps);
    const after = (await attempts.find(orderId)) ?? order;
    if (after.status === 'paid') throw TOO_LATE;
    const body = statusView(after, viewOptions(request, deps));
    response.set('Cache-Control', 'no-store').json(body);
  };
}

/** Some banks take a cancelling of what is paid for a refund: so the state is read before, and after. */
async function cancel(order: Order, provider: SbpProvider, deps: RefundDeps): Promise<void> {
  const { paymentId } = order;
  if (paymentId === null || provider.cancel === undefined) throw TOO_LATE;
  try {
    const { status } = await provider.getState(paymentId, order.createdAt);
    if (canBePaid(status)) await provider.cancel(paymentId);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const isNo = error.failure === 'rejected';
    throw isNo ? TOO_LATE : apiError(503, error.message, { 'Retry-After': '5' });
  }
  await look(order, deps);
}
