import type { RequestHandler, Response } from 'express';
import type { Rejection } from '@kopeck/core/source';
import { HttpError, notFound } from '@kopeck/runtime/http-app';
import { createLineLimit, type LineLimit } from '@kopeck/runtime/line-limit';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import type { Looks } from './looks.ts';
import { isFromOneOf } from './networks.ts';
import type { SbpProvider } from './provider.ts';
import { PROVIDERS, type Providers } from './providers.ts';

export interface WebhookDeps {
  readonly looks: Looks;
  readonly providers: Providers;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Told of each callback that proved nothing. */
  readonly forged?: (source: string) => void;
  readonly now: () => Date;
  /** Tells the looker that something is due. */
  readonly wake: () => void;
}

const STATUS: Readonly<Partial<Record<Rejection, number>>> = { malformed: 400, forged: 401 };

/**
 * POST /webhook/sbp/{provider}. A genuine callback moves the next look at its order to now, durably,
 * and is acknowledged; what it says is not believed. The row is the job: one per payment, and it does
 * not need Redis. While MariaDB is away the answer is 503, and the provider repeats.
 */
export function postCallback(deps: WebhookDeps): RequestHandler<{ provider: string }> {
  const { looks, providers, now, wake } = deps;
  const refusal: Refusal = { ...deps, limit: createLineLimit(now) };
  return async (request, response) => {
    const code = PROVIDERS.find((known) => known === request.params.provider);
    if (code === undefined) return notFound(response);
    const provider = providers[code];
    if (provider === undefined) return refuse(response, code, 'unconfigured', refusal);
    if (isMistyped(request.get('content-type'), provider)) {
      throw new HttpError(415, { error: 'unsupported_media_type' });
    }
    countStranger(request.ip, provider, deps);

    const header = (name: string): string | undefined => request.get(name);
    const hint = await provider.readCallback({ header, body: request.body as Buffer });
    if (!hint.ok) return refuse(response, code, hint.rejection, refusal);

    const isKnown = await looks.hint(code, hint.value, now());
    acknowledge(response, provider, isKnown ? 'accepted' : 'ignored', deps);
    if (isKnown) wake();
  };
}

function isMistyped(contentType: string | undefined, { callbacks }: SbpProvider): boolean {
  return callbacks.contentType === 'json' && !/^application\/json\s*(;|$)/i.test(contentType ?? '');
}

/** Lists of addresses change without notice: a payment is not lost over one. */
function countStranger(
  ip: string | undefined,
  { code, callbacks }: SbpProvider,
  { metrics }: WebhookDeps,
): void {
  if (callbacks.networks.length === 0 || isFromOneOf(ip ?? '', callbacks.networks)) return;
  metrics.count('kopeck_sbp_foreign_callbacks_total', { provider: code });
}

/** In the provider's own words: some repeat for a month what is not answered with them. */
function acknowledge(
  response: Response,
  { code, callbacks }: SbpProvider,
  outcome: 'accepted' | 'ignored',
  { log, metrics }: WebhookDeps,
): void {
  metrics.count('kopeck_deliveries_total', { source: 'sbp', outcome });
  log.info(`callback ${outcome}`, { provider: code });
  response.set('Cache-Control', 'no-store');
  if (callbacks.acknowledgement === null) response.json({ status: outcome });
  else response.type('text/plain').send(callbacks.acknowledgement);
}

interface Refusal extends WebhookDeps {
  /** A stranger must not fill the log. */
  readonly limit: LineLimit;
}

function refuse(
  response: Response,
  provider: string,
  rejection: Rejection,
  { log, metrics, forged, limit }: Refusal,
): void {
  metrics.count('kopeck_deliveries_total', { source: 'sbp', outcome: rejection });
  if (rejection === 'forged') forged?.('sbp');
  const more = limit();
  if (more !== null) log.warn('callback rejected', { provider, rejection, ...more });
  if (rejection === 'unconfigured') response.set('Retry-After', '30');
  response
    .status(STATUS[rejection] ?? 503)
    .set('Cache-Control', 'no-store')
    .json({ error: rejection });
}
