import type { RequestHandler, Response } from 'express';
import type { Rejection } from '@kopeck/core/source';
import { notFound } from '@kopeck/runtime/http-app';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import type { Looks } from './looks.ts';
import { PROVIDERS, type ProviderCode } from './provider.ts';
import type { Providers } from './providers.ts';

export interface WebhookDeps {
  readonly looks: Looks;
  readonly providers: Providers;
  readonly log: Log;
  readonly metrics: Metrics;
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
  return async (request, response) => {
    const code = PROVIDERS.find((known) => known === request.params.provider);
    if (code === undefined) return notFound(response);
    const provider = providers[code];
    if (provider === undefined) return answer(response, code, { kind: 'unconfigured' }, deps);

    const header = (name: string): string | undefined => request.get(name);
    const hint = provider.readCallback({ header, body: request.body as Buffer });
    if (!hint.ok) return answer(response, code, { kind: hint.rejection }, deps);

    const isKnown = await looks.hint(code, hint.value, now());
    answer(response, code, { kind: isKnown ? 'accepted' : 'ignored' }, deps);
    if (isKnown) wake();
  };
}

type Verdict = { readonly kind: Rejection | 'accepted' | 'ignored' };

function answer(
  response: Response,
  provider: ProviderCode,
  { kind }: Verdict,
  { log, metrics }: WebhookDeps,
): void {
  metrics.count('kopeck_deliveries_total', { source: 'sbp', outcome: kind });
  response.set('Cache-Control', 'no-store');
  if (kind === 'accepted' || kind === 'ignored') {
    log.info(`callback ${kind}`, { provider });
    response.json({ status: kind });
    return;
  }
  log.warn('callback rejected', { provider, rejection: kind });
  if (kind === 'unconfigured') response.set('Retry-After', '30');
  response.status(STATUS[kind] ?? 503).json({ error: kind });
}
