import { setTimeout as delay } from 'node:timers/promises';
import { PanelError } from './port.ts';
import type { Send } from './request.ts';

export interface Limits {
  /** Requests under way at once: an SQLite panel answers "database is locked" to more than two. */
  readonly concurrency: number;
  readonly perSecond: number;
  readonly now: () => Date;
}

/** Lets no more requests through than the panel bears; the others wait their turn, in order. */
export function limited(send: Send, { concurrency, perSecond, now }: Limits): Send {
  const gapMs = 1_000 / perSecond;
  const waiting: (() => void)[] = [];
  let free = concurrency;
  let nextAt = 0;

  async function enter(signal: AbortSignal): Promise<void> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    const at = Math.max(now().getTime(), nextAt);
    const pauseMs = at - now().getTime();
    nextAt = at + gapMs;
    if (pauseMs > 0) await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return async (request) => {
    await enter(request.signal);
    try {
      if (request.signal.aborted) throw new PanelError('timeout');
      return await send(request);
    } finally {
      leave();
    }
  };
}
