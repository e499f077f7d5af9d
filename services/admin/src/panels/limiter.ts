import { setTimeout as delay } from 'node:timers/promises';
import { GivenUp } from './port.ts';
import type { Send } from './request.ts';

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
  const waiting = new Set<() => void>();
  let free = concurrency;
  let nextAt = 0;

  async function enter(signal: AbortSignal): Promise<void> {
    if (free > 0) free -= 1;
    else await turn(signal);
    const at = Math.max(now().getTime(), nextAt);
    const pauseMs = at - now().getTime();
    nextAt = at + gapMs;
    try {
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal });
    } catch {
      // Nobody asks at that time, and nobody has to wait for it.
      if (nextAt === at + gapMs) nextAt = at;
      leave();
      throw new GivenUp('rate_limited');
    }
  }

  /** Who gives up leaves the row, and takes nobody's turn. */
  async function turn(signal: AbortSignal): Promise<void> {
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
  }

  function leave(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
    } else {
      waiting.delete(next);
      next();
    }
  }

  return async (request) => {
    if (request.signal.aborted) throw new GivenUp('rate_limited');
    await enter(request.signal);
    const answered = AbortSignal.timeout(answerMs);
    try {
      return await send({ ...request, signal: AbortSignal.any([request.signal, answered]) });
    } catch (error) {
      if (request.signal.aborted && !answered.aborted) throw new GivenUp('timeout');
      throw error;
    } finally {
      leave();
    }
  };
}
