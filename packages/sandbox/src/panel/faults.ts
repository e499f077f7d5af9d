import type { RequestHandler, Response } from 'express';
import Joi from 'joi';

export const FAULTS = ['status', 'hang', 'reset', 'empty', 'html', 'slow'] as const;

/** What one server of the panel does wrong, for the next `times` requests. */
export interface Fault {
  readonly server: string;
  readonly fault: (typeof FAULTS)[number] | 'none';
  /** The status of `status`. */
  readonly status: number;
  /** How long `slow` takes; the answer is right then. */
  readonly ms: number;
  readonly times: number;
}

export const faultSchema = Joi.object<Fault, true>({
  server: Joi.string().required(),
  fault: Joi.string()
    .valid(...FAULTS, 'none')
    .required(),
  status: Joi.number().integer().min(200).max(599).default(503),
  ms: Joi.number().integer().min(0).default(1_000),
  times: Joi.number().integer().min(1).default(Number.MAX_SAFE_INTEGER),
});

export interface Faults {
  readonly set: (fault: Fault) => void;
  /** No faults, and whoever hangs is answered. */
  readonly clear: () => void;
  /** For a route with the parameter `server`. */
  readonly handler: RequestHandler<{ server: string }>;
}

type Play = (fault: Fault, response: Response, next: () => void) => void;

export function createFaults(): Faults {
  const active = new Map<string, Fault>();
  const hanging = new Map<string, Set<() => void>>();

  function release(server: string): void {
    for (const goOn of hanging.get(server) ?? []) goOn();
    hanging.delete(server);
  }

  function hang({ server }: Fault, response: Response, next: () => void): void {
    const waiting = hanging.get(server) ?? new Set();
    hanging.set(server, waiting.add(next));
    response.once('close', () => waiting.delete(next));
  }

  function take(server: string): Fault | undefined {
    const fault = active.get(server);
    if (fault !== undefined && fault.times > 1)
      active.set(server, { ...fault, times: fault.times - 1 });
    else active.delete(server);
    return fault;
  }

  return {
    set(fault) {
      if (fault.fault === 'none') active.delete(fault.server);
      else active.set(fault.server, fault);
      release(fault.server);
    },
    clear() {
      active.clear();
      for (const server of hanging.keys()) release(server);
    },
    handler(request, response, next) {
      const fault = take(request.params.server);
      if (fault === undefined || fault.fault === 'none') return next();
      const play = fault.fault === 'hang' ? hang : PLAY[fault.fault];
      play(fault, response, next);
    },
  };
}

const PLAY: Readonly<Record<Exclude<Fault['fault'], 'none' | 'hang'>, Play>> = {
  status: ({ status }, response) => void response.status(status).json({ error: 'fault' }),
  reset: (_fault, response) => void response.req.socket.resetAndDestroy(),
  empty: (_fault, response) => void response.type('text/plain').send(''),
  html: (_fault, response) => void response.send('<!doctype html><title>Log in</title>'),
  slow({ ms }, response, next) {
    const timer = setTimeout(next, ms);
    response.once('close', () => clearTimeout(timer));
  },
};
