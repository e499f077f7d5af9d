import { setTimeout as delay } from 'node:timers/promises';
import { GivenUp } from './port.ts';
import type { PanelAnswer, PanelRequest, Send } from './request.ts';

export interface Limits {
  /** Requests under way at once: an SQLite panel answers "database is locked" to more than two. */
  readonly concurrency: number;
  readonly perSecond: number;
  /** What the panel has for its answer, from when it was asked: the wait for a turn is ours. */
  readonly answerMs: number;
  readonly now: () => Date;
}

/** Lets no more requests through than the panel bears; the others wait their turn, in order. */
export function limited(send: Send, { concurrency, perSecond, answerMs, now }: Limits): Send {
  const gapMs = 1_000 / perSecond;
  const places = createPlaces(concurrency);
  let nextAt = 0;

  async function pace(signal: AbortSignal): Promise<void> {
    const at = Math.max(now().getTime(), nextAt);
    const pauseMs = at - now().getTime();
    nextAt = at + gapMs;
    try {
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal });
    } catch {
      // Nobody asks at that time, and nobody has to wait for it.
      if (nextAt === at + gapMs) nextAt = at;
      throw new GivenUp('rate_limited');
    }
  }

  async function answered(request: PanelRequest): Promise<PanelAnswer> {
    const late = AbortSignal.timeout(answerMs);
    try {
      return await send({ ...request, signal: AbortSignal.any([request.signal, late]) });
    } catch (error) {
      if (request.signal.aborted && !late.aborted) throw new GivenUp('timeout');
      throw error;
    }
  }

  return async (request) => {
    await places.enter(request.signal);
    try {
      await pace(request.signal);
      return await answered(request);
    } finally {
      places.leave();
    }
  };
}

interface Places {
  /** Throws GivenUp: who gives up leaves the row, and takes nobody's turn. */
  readonly enter: (signal: AbortSignal) => Promise<void>;
  readonly leave: () => void;
}

function createPlaces(count: number): Places {
  const waiting = new Set<() => void>();
  let free = count;
  return {
    async enter(signal) {
      if (signal.aborted) throw new GivenUp('rate_limited');
      if (free > 0) {
        free -= 1;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = (): void => {
          waiting.delete(begin);
          reject(new GivenUp('rate_limited'));
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.add(begin);
      });
    },
    leave() {
      const [next] = waiting;
      if (next === undefined) {
        free += 1;
      } else {
        waiting.delete(next);
        next();
      }
    },
  };
}
