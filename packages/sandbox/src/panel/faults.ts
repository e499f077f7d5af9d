import type { RequestHandler, Response } from 'express';
import Joi from 'joi';

/** Played before the panel has looked at the request. */
const ANY = [
  'status',
  'hang',
  'reset',
  'refuse',
  'empty',
  'html',
  'slow',
  'rateLimit',
  'flap',
] as const;
/** Played by the panel itself, in its own words. */
const OWN = ['emptyLinks', 'truncatedBase64', 'lockedDb', 'expireSession'] as const;
export const FAULTS = [...ANY, ...OWN] as const;

/** What one server of the panel does wrong, for the next `times` requests. */
export interface Fault {
  readonly server: string;
  readonly fault: (typeof FAULTS)[number] | 'none';
  /** The status of `status`, and its body. */
  readonly status: number;
  readonly body: object | string;
  /** How long `slow` takes; the answer is right then. */
  readonly ms: number;
  readonly times: number;
  /** How many requests go well before that. */
  readonly after: number;
  /** How many requests of one second `rateLimit` lets through. */
  readonly perSecond: number;
  /** Of `flap`: each so many-th request is reset. */
  readonly every: number;
}

export const faultSchema = Joi.object<Fault, true>({
  server: Joi.string().required(),
  fault: Joi.string()
    .valid(...FAULTS, 'none')
    .required(),
  status: Joi.number().integer().min(200).max(599).default(503),
  body: Joi.alternatives(Joi.object(), Joi.string().allow('')).default({ error: 'fault' }),
  ms: Joi.number().integer().min(0).default(1_000),
  times: Joi.number().integer().min(1).default(Number.MAX_SAFE_INTEGER),
  after: Joi.number().integer().min(0).default(0),
  perSecond: Joi.number().integer().min(1).default(1),
  every: Joi.number().integer().min(2).default(2),
});

export interface Faults {
  /** Returns what was set. */
  readonly set: (fault: Fault) => Fault;
  /** No faults, and whoever hangs is answered. */
  readonly clear: () => void;
  /** For a route with the parameter `server`. */
  readonly handler: RequestHandler<{ server: string }>;
}

type Play = (fault: Fault, response: Response, next: () => void) => void;

export function createFaults(now: () => number): Faults {
  const active = new Map<string, Fault>();
  const hanging = new Map<string, Set<() => void>>();
  const counters = countingFaults(now);

  function release(server: string): void {
    for (const goOn of hanging.get(server) ?? []) goOn();
    hanging.delete(server);
  }

  function take(server: string): Fault | undefined {
    const fault = active.get(server);
    if (fault !== undefined && fault.after > 0) {
      active.set(server, { ...fault, after: fault.after - 1 });
      return undefined;
    }
    if (fault !== undefined && fault.times > 1)
      active.set(server, { ...fault, times: fault.times - 1 });
    else active.delete(server);
    return fault;
  }

  const play: Readonly<Record<(typeof ANY)[number], Play>> = {
    ...PLAY,
    ...counters.play,
    hang({ server }, response, next) {
      const waiting = hanging.get(server) ?? new Set();
      hanging.set(server, waiting.add(next));
      response.once('close', () => waiting.delete(next));
    },
  };

  return {
    set(fault) {
      if (fault.fault === 'none') active.delete(fault.server);
      else active.set(fault.server, fault);
      release(fault.server);
      return fault;
    },
    clear() {
      active.clear();
      counters.clear();
      for (const server of hanging.keys()) release(server);
    },
    handler(request, response, next) {
      const fault = take(request.params.server);
      response.locals['fault'] = fault?.fault;
      const known = ANY.find((name) => name === fault?.fault);
      if (fault === undefined || known === undefined) return next();
      play[known](fault, response, next);
    },
  };
}

const PLAY: Readonly<Record<Exclude<(typeof ANY)[number], 'hang' | 'rateLimit' | 'flap'>, Play>> = {
  status: ({ status, body }, response) => void response.status(status).send(body),
  reset: (_fault, response) => void response.req.socket.resetAndDestroy(),
  // All servers share a port, which therefore cannot be closed: the connection ends unanswered.
  refuse: (_fault, response) => void response.req.socket.destroy(),
  empty: (_fault, response) => void response.type('text/plain').send(''),
  html: (_fault, response) => void response.send('<!doctype html><title>Log in</title>'),
  slow({ ms }, response, next) {
    const timer = setTimeout(next, ms);
    response.once('close', () => clearTimeout(timer));
  },
};

/** Faults of some requests among many. */
function countingFaults(now: () => number): {
  readonly play: Readonly<Record<'rateLimit' | 'flap', Play>>;
  readonly clear: () => void;
} {
  const counts = new Map<string, number>();
  function count(key: string): number {
    const next = (counts.get(key) ?? 0) + 1;
    counts.set(key, next);
    return next;
  }
  return {
    clear: () => counts.clear(),
    play: {
      rateLimit({ server, perSecond }, response, next) {
        const second = Math.floor(now() / 1_000);
        if (count(`${server} ${second}`) <= perSecond) return next();
        response.status(429).set('Retry-After', '1').json({ error: 'too_many_requests' });
      },
      flap({ server, every }, response, next) {
        if (count(`${server} flap`) % every === 0) response.req.socket.resetAndDestroy();
        else next();
      },
    },
  };
}
