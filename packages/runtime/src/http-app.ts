import { randomUUID } from 'node:crypto';
import express from 'express';
import type { ErrorRequestHandler, Express, RequestHandler, Response, Router } from 'express';
import helmet from 'helmet';
import type { Log } from './log.ts';

/** The sender's mistake in one of our own APIs: thrown by a handler, answered as it stands. */
export class HttpError extends Error {
  override name = 'HttpError' as const;
  readonly expose = true;
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export interface AppOptions {
  readonly log: Log;
  readonly trustProxy: string;
  readonly router: Router;
}

/**
 * For JSON, which no browser shows: what OWASP's advice on REST names. Helmet's other eight are for pages,
 * and cost a receiver a twelfth of its requests a second.
 */
const jsonHeaders: RequestHandler = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': "'none'", 'frame-ancestors': "'none'" },
  },
  xFrameOptions: { action: 'deny' },
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xPoweredBy: false,
  xXssProtection: false,
});

/** For what a browser shows: to stand before its handler. */
export const pageHeaders: RequestHandler = helmet();

/** The app without a port, so that tests and services listen where they like. */
export function createApp({ log, trustProxy, router }: AppOptions): Express {
  const app = express();
  app.set('trust proxy', trustProxy);
  app.set('etag', false);
  app.disable('x-powered-by');
  app.use(jsonHeaders);
  app.use(requestId);
  app.use(router);
  app.use((_request, response) => notFound(response));
  app.use(failure(log));
  return app;
}

/** App settings do not reach routers in Express 5: strictness is asked for here. */
export function createRouter(): Router {
  return express.Router({ strict: true, caseSensitive: true });
}

/** The one answer for every path that does not exist, byte for byte. */
export function notFound(response: Response): void {
  response.status(404).set('Cache-Control', 'no-store').json({ error: 'not_found' });
}

type Verb = 'GET' | 'POST' | 'DELETE' | 'PATCH';

/** For `router.all(path, methods({ POST: […] }))`: any other verb is a 405 that names those there are. */
export function methods(table: Partial<Record<Verb, readonly RequestHandler[]>>): RequestHandler {
  const allowed = Object.keys(table).join(', ');
  const chains = new Map(
    Object.entries(table).map(([verb, handlers]) => [verb, chainOf(handlers)]),
  );
  const refuse: RequestHandler = (_request, response) => {
    response.status(405).set('Allow', allowed).json({ error: 'method_not_allowed' });
  };
  // Returned, because Express catches what a handler's promise rejects with.
  return (request, response, next) =>
    (chains.get(request.method) ?? refuse)(request, response, next);
}

/** A single handler needs no router of its own, which would cost each request as much as the handler. */
function chainOf(handlers: readonly RequestHandler[]): RequestHandler {
  const [only, ...others] = handlers;
  return only !== undefined && others.length === 0
    ? only
    : express.Router({ mergeParams: true }).use(...handlers);
}

export function requestIdOf(response: Response): string {
  return (response.locals as { requestId?: string }).requestId ?? '';
}

const requestId: RequestHandler = (_request, response, next) => {
  const id = randomUUID();
  response.locals['requestId'] = id;
  response.set('X-Request-Id', id);
  next();
};

interface Exposed {
  readonly expose?: boolean;
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Words for the mistakes that Express's own parsers find. */
const WORDS: Readonly<Record<number, string>> = {
  400: 'malformed',
  413: 'too_large',
  415: 'unsupported_media_type',
};

/**
 * A fault of ours is a 503, so that the sender keeps what it has and comes again. Only an error marked
 * `expose` is the sender's; an axios error has a status too, but of another conversation.
 */
function failure(log: Log): ErrorRequestHandler {
  return (error: Error & Exposed, _request, response, _next) => {
    if (!response.headersSent && isUndecodablePath(error)) {
      notFound(response);
      return;
    }
    if (!response.headersSent && isTheSenders(error)) {
      const { status, headers = {}, body } = error;
      response
        .status(status)
        .set(headers)
        .json(body ?? { error: WORDS[status] ?? 'malformed' });
      return;
    }
    log.error('request failed', { error, requestId: requestIdOf(response) });
    if (response.headersSent) response.destroy();
    else response.status(503).set('Retry-After', '30').json({ error: 'unavailable' });
  };
}

function isTheSenders(error: Exposed): error is Exposed & { readonly status: number } {
  return error.expose === true && error.status !== undefined && error.status < 500;
}

/** `/status/%zz`: the router marks it as a 400, but not as the sender's. No such path can exist. */
function isUndecodablePath(error: Error & Exposed): boolean {
  return error instanceof URIError && error.status === 400;
}
