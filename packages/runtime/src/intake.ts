import type { Request, RequestHandler, Response } from 'express';
import type { Append, Outcome } from '@kopeck/core/receive';
import { receive } from '@kopeck/core/receive';
import type { Delivery, Rejection, Source } from '@kopeck/core/source';
import { rawBody } from './body.ts';
import { HttpError, notFound, requestIdOf } from './http-app.ts';
import { createLineLimit } from './line-limit.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface IntakeDeps<Q> {
  readonly append: Append;
  readonly now: () => Date;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Told of each delivery that proved nothing. */
  readonly forged?: (source: string) => void;
  /** The largest body in bytes; 64 KiB unless said. */
  readonly limitBytes?: number;
  /** Media types of a body; anything else is a 415. Unset: any. */
  readonly mediaTypes?: readonly string[];
  /** Where the partner's contract asks for more than answerFor gives. */
  readonly answer?: (outcome: Outcome<Q>, delivery: Delivery) => Answer | Promise<Answer>;
}

/** The only place where a rejection becomes an HTTP status. */
const STATUS: Readonly<Record<Rejection, number>> = {
  malformed: 400,
  forged: 401,
  hidden: 404,
  unconfigured: 503,
};

const LIMIT_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** The answer that the design's table gives for an outcome. A question needs an answer of the source's own. */
export function answerFor(outcome: Outcome<unknown>): Answer {
  switch (outcome.kind) {
    case 'rejected':
      return { status: STATUS[outcome.rejection], body: { error: outcome.rejection } };
    case 'ignored':
      return { status: 200, body: { status: 'ignored' } };
    case 'quarantined':
      if (outcome.cause.complaint !== undefined)
        return { status: 400, body: outcome.cause.complaint };
      return { status: 200, body: { status: 'accepted', id: outcome.event.id } };
    case 'question':
      throw new Error('a question was left without an answer');
    default:
      return { status: 200, body: { status: outcome.kind, id: outcome.event.id } };
  }
}

/**
 * A source as handlers of Express: verified on the head of the request first where that proves the
 * sender, then the raw body within its limit, then the pipeline, then one answer and one log line (of
 * those that are rejected only so many a minute: see line-limit.ts).
 */
export function intake<P, N, Q>(source: Source<P, N, Q>, deps: IntakeDeps<Q>): RequestHandler[] {
  const answer = answering(source.name, deps);
  const read = bodyReader(deps.limitBytes ?? LIMIT_BYTES);
  return [
    async (request, response) => {
      if (source.proves === 'head') {
        const delivery = deliveryOf(request, deps.now());
        const verified = source.verify(delivery);
        if (!verified.ok) {
          // A forger's body is not read, nor waited for: the connection ends with the answer. A path
          // that is hidden must answer as one that does not exist.
          if (verified.rejection !== 'hidden') response.set('Connection', 'close');
          return answer(response, { kind: 'rejected', rejection: verified.rejection }, delivery);
        }
      }
      if (hasBody(request)) {
        refuseOtherTypes(request, deps.mediaTypes);
        await read(request, response);
      }
      const delivery = deliveryOf(request, deps.now());
      await answer(response, await receive(source, delivery, deps.append), delivery);
    },
  ];
}

function answering<Q>(source: string, deps: IntakeDeps<Q>) {
  const limit = createLineLimit(deps.now);
  const tell = (outcome: Outcome<Q>, requestId: string): void => {
    const more = outcome.kind === 'rejected' ? limit() : {};
    if (more === null) return;
    const { level, line } = lineOf(outcome);
    deps.log[level](`delivery ${outcome.kind}`, { source, ...line, requestId, ...more });
  };
  return async (response: Response, outcome: Outcome<Q>, delivery: Delivery): Promise<void> => {
    deps.metrics.count('kopeck_deliveries_total', { source, outcome: outcome.kind });
    if (outcome.kind === 'rejected' && outcome.rejection === 'forged') deps.forged?.(source);
    tell(outcome, requestIdOf(response));

    if (outcome.kind === 'rejected' && outcome.rejection === 'hidden') return notFound(response);
    const { status, headers = {}, body } = await (deps.answer ?? answerFor)(outcome, delivery);
    if (status === 503) response.set('Retry-After', '30');
    response.status(status).set('Cache-Control', 'no-store').set(headers).json(body);
  };
}

function lineOf(outcome: Outcome<unknown>): {
  level: 'info' | 'warn';
  line: Record<string, string>;
} {
  switch (outcome.kind) {
    case 'rejected':
      return { level: 'warn', line: { rejection: outcome.rejection } };
    case 'ignored':
      return { level: 'info', line: { reason: outcome.reason } };
    case 'question':
      return { level: 'info', line: {} };
    case 'quarantined':
      return { level: 'warn', line: { event: outcome.event.id, reason: outcome.cause.reason } };
    default:
      return { level: 'info', line: { event: outcome.event.id } };
  }
}

function hasBody(request: Request): boolean {
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers;
  return coding !== undefined || Number(length ?? 0) > 0;
}

function refuseOtherTypes(request: Request, allowed: readonly string[] | undefined): void {
  const [given = ''] = (request.get('content-type') ?? '').split(';');
  if (allowed === undefined || allowed.includes(given.trim().toLowerCase())) return;
  throw new HttpError(415, { error: 'unsupported_media_type' });
}

/** As a middleware of Express reads it; rejects with what that would hand on. */
function bodyReader(limitBytes: number): (request: Request, response: Response) => Promise<void> {
  const read = rawBody(limitBytes);
  return (request, response) =>
    new Promise((resolve, reject) => {
      void read(request, response, (error?: unknown) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
}

function deliveryOf(request: Request, receivedAt: Date): Delivery {
  const { url } = request;
  const mark = url.indexOf('?');
  return {
    method: request.method,
    path: request.path,
    query: mark === -1 ? '' : url.slice(mark + 1),
    header: (name) => request.get(name),
    body: Buffer.isBuffer(request.body) ? request.body : NOTHING,
    receivedAt,
  };
}
