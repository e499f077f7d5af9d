import type { RequestHandler } from 'express';
import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles } from '@kopeck/core/roubles';
import { apiError, NOT_FOUND } from './api-errors.ts';
import type { Attempts } from './attempts.ts';
import { createQr, type Created, type CreateDeps } from './create-qr.ts';
import { statusOf, type Order } from './order.ts';
import { readPaymentRequest } from './payment-request.ts';
import type { SbpProvider } from './provider.ts';

export type ApiDeps = Omit<CreateDeps, 'provider'> & {
  /** Undefined: no credentials are configured. */
  readonly provider: SbpProvider | undefined;
};

/** POST /api/payment: the same order with the same amount gets the same code, always. */
export function postPayment(deps: ApiDeps): RequestHandler {
  return async (request, response) => {
    const wanted = readPaymentRequest(request.body);
    const { provider } = deps;
    if (provider === undefined) throw failed('the provider is not configured', 503, 30);

    const created = await createQr(wanted, { ...deps, provider });
    if (created.kind !== 'made') throw refusal(created, deps.now());
    const { orderId, qrcId, link, status } = created.order;
    const body = { success: true, orderId, qrcId, qr: link, status };
    response.set('Cache-Control', 'no-store').json(body);
  };
}

function refusal(created: Exclude<Created, { kind: 'made' }>, now: Date): Error {
  if (created.kind === 'conflict') return apiError(409, 'Order already exists');
  const { why, retryAt } = created;
  if (retryAt === null) return failed(why, 500, null);
  const seconds = Math.max(1, Math.ceil((retryAt.getTime() - now.getTime()) / 1000));
  return failed(`${why}; try again at ${naive(retryAt)} UTC`, 500, seconds);
}

function failed(why: string, status: number, retryAfter: number | null): Error {
  const headers = retryAfter === null ? {} : { 'Retry-After': String(retryAfter) };
  return apiError(status, `Payment creation failed: ${why}`, headers);
}

/** GET /api/status/{orderId} */
export function getStatus(
  attempts: Attempts,
  now: () => Date,
): RequestHandler<{ orderId: string }> {
  return async (request, response) => {
    const order = await attempts.find(request.params.orderId);
    if (order === null) throw NOT_FOUND;
    response.set('Cache-Control', 'no-store').json(statusView(order, now()));
  };
}

function statusView(order: Order, now: Date): object {
  const { orderId, kopecks, createdAt, paidAt, qrcId, link } = order;
  return {
    success: true,
    orderId,
    status: statusOf(order, now),
    amount: jsonNumber(formatRoubles(kopecks)),
    createdAt: naive(createdAt),
    ...(paidAt !== null && { paidAt: naive(paidAt) }),
    ...(qrcId !== null && { qrcId, qr: link }),
  };
}

/** GET /api/health: the process lives. */
export function getHealth(now: () => Date): RequestHandler {
  return (_request, response) => {
    response.json({ success: true, status: 'healthy', timestamp: naive(now()) });
  };
}

/** UTC without a zone, as shops have always got it. */
function naive(date: Date): string {
  return date.toISOString().slice(0, 19);
}
