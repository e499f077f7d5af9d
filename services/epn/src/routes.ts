import type { RequestHandler, Router } from 'express';
import type { Outcome } from '@kopeck/core/receive';
import type { Source } from '@kopeck/core/source';
import { createRouter, methods, requestIdOf } from '@kopeck/runtime/http-app';
import { answerFor, intake, type Answer } from '@kopeck/runtime/intake';
import { createLineLimit } from '@kopeck/runtime/line-limit';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';
import type { EpnServiceConfig } from './config.ts';
import { epnNetwork, type EpnConfig } from './epn/config.ts';
import { epnSource } from './epn/source.ts';
import type { LedgerWatch } from './ledger-watch.ts';
import { namedSecrets } from './named-secrets.ts';
import type { ConfiguredNetwork } from './network/config.ts';
import { networkSource } from './network/source.ts';
import type { Postback } from './postback.ts';
import { svixSource } from './svix/source.ts';

export type RoutesDeps = Pick<ReceiverDeps, 'append' | 'log' | 'metrics' | 'now'> &
  Partial<Pick<ReceiverDeps, 'forged'>> & {
    readonly config: EpnConfig & Pick<EpnServiceConfig, 'EPN_LEDGER_DOWN' | 'SVIX_SECRETS'>;
    readonly networks: readonly ConfiguredNetwork[];
    readonly ledger: Pick<LedgerWatch, 'isDown'>;
  };

type LedgerDown = 'refuse' | 'accept';

const MEDIA_TYPES = ['application/x-www-form-urlencoded', 'application/json'];

export function epnRoutes(deps: RoutesDeps): Router {
  const router = createRouter();
  router.all('/health', methods({ GET: [health(deps.now)] }));
  for (const [source, handler] of svixDoors(deps)) router.all(`/svix/${source}`, handler);
  router.use(gate(doors(deps), deps));
  return router;
}

interface Door {
  readonly opens: (path: string) => boolean;
  readonly handler: RequestHandler;
}

/**
 * Every path goes through every door's lock, so that a wrong token costs the same time, the same log
 * line and the same answer as a path that nobody has: it is one.
 */
function gate(all: readonly Door[], deps: RoutesDeps): RequestHandler {
  const nobody = turningAway(deps);
  return (request, response, next) => {
    const [open] = all.filter(({ opens }) => opens(request.path));
    return (open?.handler ?? nobody)(request, response, next);
  };
}

function turningAway({ log, metrics, forged, now }: RoutesDeps): RequestHandler {
  const limit = createLineLimit(now);
  return (request, response, next) => {
    metrics.count('kopeck_deliveries_total', { source: 'epn', outcome: 'rejected' });
    // What every scanner asks for is no forgery.
    if (request.path.startsWith('/webhook/')) forged?.('epn');
    const line = { source: 'epn', rejection: 'hidden', requestId: requestIdOf(response) };
    const more = limit();
    if (more !== null) log.warn('delivery rejected', { ...line, ...more });
    next();
  };
}

function doors(deps: RoutesDeps): readonly Door[] {
  const { config, networks } = deps;
  const epn = epnSource(config);
  return [
    door(epn, ['GET', 'POST'], handlers(atTheDoor(epn), config.EPN_LEDGER_DOWN, deps)),
    ...networks.map((network) => {
      const source = networkSource(network);
      return door(source, network.methods, handlers(atTheDoor(source), network.ledgerDown, deps));
    }),
  ];
}

/** The door has asked for the token already: it is asked once more, with the whole request. */
function atTheDoor<P>(source: Source<P, Postback>): Source<P, Postback> {
  return { ...source, proves: 'body' };
}

function door<P>(
  source: Source<P, Postback>,
  verbs: readonly ('GET' | 'POST')[],
  chain: RequestHandler[],
): Door {
  return {
    opens: (path) => {
      const verified = source.verify(headOf(path));
      return verified.ok || verified.rejection !== 'hidden';
    },
    handler: methods(Object.fromEntries(verbs.map((verb) => [verb, chain]))),
  };
}

/** The path alone is what such a source proves itself with. */
function headOf(path: string) {
  const body = Buffer.alloc(0);
  return { method: 'GET', path, query: '', header: () => undefined, body, receivedAt: new Date(0) };
}

/** By name: EPN, and each configured network. */
function svixDoors(deps: RoutesDeps): ReadonlyMap<string, RequestHandler> {
  const { config, networks } = deps;
  const secrets = namedSecrets(config.SVIX_SECRETS);
  const all = [
    { name: 'epn', network: epnNetwork(config), ledgerDown: config.EPN_LEDGER_DOWN },
    ...networks.map((network) => ({ name: network.partner, network, ...network })),
  ];
  return new Map(
    all
      .filter(({ name }) => secrets.has(name))
      .map(({ name, network, ledgerDown }) => {
        const source = svixSource(network, secrets.get(name) ?? []);
        return [name, methods({ POST: handlers(source, ledgerDown, deps) })];
      }),
  );
}

function handlers<P>(
  source: Source<P, Postback>,
  ledgerDown: LedgerDown,
  deps: RoutesDeps,
): RequestHandler[] {
  return intake(source, {
    ...deps,
    mediaTypes: MEDIA_TYPES,
    answer: answering(ledgerDown, deps),
  });
}

/** A sender that repeats what was refused loses nothing, nor does one that never repeats: it is kept. */
function answering(ledgerDown: LedgerDown, { ledger, log }: RoutesDeps) {
  return (outcome: Outcome): Answer => {
    const answer = answerFor(outcome);
    if (!('event' in outcome)) return answer;
    const repeated = repeatedIn(outcome.event.data);
    if (repeated !== null) {
      log.warn('a parameter came twice, the last one counts', {
        event: outcome.event.id,
        repeated,
      });
    }
    if (ledgerDown === 'accept' || !ledger.isDown() || answer.status !== 200) return answer;
    return { status: 503, body: { error: 'storage_unavailable' } };
  };
}

function repeatedIn(data: object): string | null {
  const { fields } = data as { readonly fields?: Readonly<Record<string, string>> };
  return fields?.['repeated'] ?? null;
}

function health(now: () => Date): RequestHandler {
  return (_request, response) => {
    response.json({ status: 'healthy', timestamp: Math.floor(now().getTime() / 1000) });
  };
}
