import type { Request, RequestHandler } from 'express';
import { apiError, NOT_FOUND } from './api-errors.ts';
import type { Attempts } from './attempts.ts';
import type { SbpConfig } from './config.ts';
import { createQr, type Created, type CreateDeps, type Maker } from './create-qr.ts';
import { readPaymentRequest, type PaymentRequest } from './payment-request.ts';
import type { SbpProvider } from './provider.ts';
import { rangeProblem, ttlOf } from './range.ts';
import { naive, paymentView, statusView, type ViewOptions } from './views.ts';

type Config = Pick<
  SbpConfig,
  'SBP_PROVIDER' | 'SBP_TTL_MINUTES' | 'SBP_STATUS_STYLE' | 'SBP_PUBLIC_URL'
>;

export type ApiDeps = Omit<CreateDeps, 'maker'> & { readonly config: Config };

/** POST /api/payment: the same order with the same amount gets the same code, always. */
export function postPayment(deps: ApiDeps): RequestHandler {
  return async (request, response) => {
    const wanted = readPaymentRequest(request.body);
    const created = await createQr(wanted, { ...deps, maker: () => makerOf(wanted, deps) });
    if (created.kind !== 'made') throw refusal(created, deps.now());
    const body = paymentView(created.order, viewOptions(request, deps));
    response.set('Cache-Control', 'no-store').json(body);
  };
}

/** For a new code only: one that was made is given again whatever the provider's range is today. */
function makerOf(wanted: PaymentRequest, deps: ApiDeps): Maker {
  const provider = providerOf(wanted, deps);
  const problem = rangeProblem(wanted, provider);
  if (problem !== null) throw apiError(400, problem);
  return { provider, ttlMs: ttlOf(wanted.ttlMinutes ?? deps.config.SBP_TTL_MINUTES, provider) };
}

function providerOf({ provider }: PaymentRequest, { providers, config }: ApiDeps): SbpProvider {
  const found = providers[provider ?? config.SBP_PROVIDER];
  if (found !== undefined) return found;
  if (provider !== null && provider !== config.SBP_PROVIDER) {
    throw apiError(400, 'The provider is not configured');
  }
  throw failed('the provider is not configured', 503, 30);
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

export type StatusDeps = Pick<ApiDeps, 'config' | 'now'> & { readonly attempts: Attempts };

/** GET /api/status/{orderId} */
export function getStatus(deps: StatusDeps): RequestHandler<{ orderId: string }> {
  return async (request, response) => {
    const order = await deps.attempts.find(request.params.orderId);
    if (order === null) throw NOT_FOUND;
    const body = statusView(order, viewOptions(request, deps));
    response.set('Cache-Control', 'no-store').json(body);
  };
}

/** Unless it is configured, payers reach the service as this shop does. */
export function viewOptions(
  request: Pick<Request, 'protocol' | 'host'>,
  { config, now }: Pick<ApiDeps, 'config' | 'now'>,
): ViewOptions {
  const { SBP_STATUS_STYLE: style, SBP_PUBLIC_URL } = config;
  const publicUrl = SBP_PUBLIC_URL ?? `${request.protocol}://${request.host}`;
  return { now: now(), style, publicUrl };
}

/** GET /api/health: the process lives. */
export function getHealth(now: () => Date): RequestHandler {
  return (_request, response) => {
    response.json({ success: true, status: 'healthy', timestamp: naive(now()) });
  };
}
