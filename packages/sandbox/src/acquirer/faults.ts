import type { RequestHandler, Response } from 'express';
import type { FaultKind, FaultOn, Knobs } from './knobs.ts';

/** What a dialect says when it fails. */
export interface FaultWords {
  readonly errorBody: unknown;
}

type Answer = (response: Response, words: FaultWords) => void;

/** Often enough that nobody takes the connection for dead. */
const DRIP_MS = 50;

const INSTEAD: Readonly<Partial<Record<FaultKind, Answer>>> = {
  'http-400': (response, { errorBody }) => void response.status(400).json(errorBody),
  'http-500': (response) => void response.status(500).json({ status: 500, error: 'Internal' }),
  'http-503': (response) => void response.status(503).send('<html>maintenance</html>'),
  'http-429': (response) => void response.status(429).set('Retry-After', '5').json({ status: 429 }),
  'error-200': (response, { errorBody }) => void response.json(errorBody),
  'not-json': (response) => void response.send('<html>'),
};

/** Fails the next calls of this kind, as the knobs say; each failing uses one of its `times` up. */
export function faulty(on: FaultOn, knobs: { current: Knobs }, words: FaultWords): RequestHandler {
  return (request, response, next) => {
    const kind = takeFault(on, knobs);
    if (kind === null) return next();

    const instead = INSTEAD[kind];
    if (instead !== undefined) return instead(response, words);

    // The call is carried out; only its answer does not come through.
    response.json = () => {
      if (kind === 'lose-answer') request.socket.destroy();
      if (kind === 'slow-body') drip(response);
      return response;
    };
    next();
  };
}

function drip(response: Response): void {
  const drop = setInterval(() => response.write(' '), DRIP_MS);
  response.on('close', () => clearInterval(drop));
  response.type('json').write('{');
}

function takeFault(on: FaultOn, knobs: { current: Knobs }): FaultKind | null {
  const { faults } = knobs.current;
  const fault = faults.find((candidate) => candidate.on === on);
  if (fault === undefined) return null;

  const left = faults.flatMap((other) => {
    if (other !== fault) return [other];
    return fault.times > 1 ? [{ ...fault, times: fault.times - 1 }] : [];
  });
  knobs.current = { ...knobs.current, faults: left };
  return fault.kind;
}
