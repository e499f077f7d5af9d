import type { RequestHandler, Router } from 'express';
import type { Outcome } from '@kopeck/core/receive';
import { createRouter, methods, requestIdOf } from '@kopeck/runtime/http-app';
import { answerFor, intake, type Answer } from '@kopeck/runtime/intake';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';
import type { EpnServiceConfig } from './config.ts';
import type { EpnConfig } from './epn/config.ts';
import { epnSource } from './epn/source.ts';
import { verify, WEBHOOK_PATH } from './epn/verify.ts';
import type { LedgerWatch } from './ledger-watch.ts';

type Deps = Pick<ReceiverDeps, 'append' | 'log' | 'metrics' | 'now'> & {
  readonly config: EpnConfig & Pick<EpnServiceConfig, 'EPN_LEDGER_DOWN'>;
  readonly ledger: Pick<LedgerWatch, 'isDown'>;
};

const MEDIA_TYPES = ['application/x-www-form-urlencoded', 'application/json'];

export function epnRoutes(deps: Deps): Router {
  const { config, now, ledger } = deps;
  const postback = intake(epnSource(config), {
    ...deps,
    mediaTypes: MEDIA_TYPES,
    answer: (outcome) =>
      answerWhile(outcome, config.EPN_LEDGER_DOWN === 'refuse' && ledger.isDown()),
  });

  const router = createRouter();
  router.all(WEBHOOK_PATH, hide(deps), methods({ GET: postback, POST: postback }));
  router.all('/health', methods({ GET: [health(now)] }));
  return router;
}

/**
 * With a wrong token the route steps aside, before method, type or size can give it away: the answer
 * is then the app's own for an unknown path, because it is one.
 */
function hide({ config, log, metrics }: Deps): RequestHandler {
  return (request, response, next) => {
    const verified = verify(request, config);
    if (verified.ok || verified.rejection !== 'hidden') return next();

    metrics.count('kopeck_deliveries_total', { source: 'epn', outcome: 'rejected' });
    const line = { source: 'epn', rejection: 'hidden', requestId: requestIdOf(response) };
    log.warn('delivery rejected', line);
    next('route');
  };
}

/** A sender that repeats what was refused loses nothing, nor does one that never repeats: it is kept. */
function answerWhile(outcome: Outcome, isLedgerDown: boolean): Answer {
  const answer = answerFor(outcome);
  if (!isLedgerDown || answer.status !== 200 || !('event' in outcome)) return answer;
  return { status: 503, body: { error: 'storage_unavailable' } };
}

function health(now: () => Date): RequestHandler {
  return (_request, response) => {
    response.json({ status: 'healthy', timestamp: Math.floor(now().getTime() / 1000) });
  };
}
