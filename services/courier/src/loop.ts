import { setTimeout as delay } from 'node:timers/promises';

export interface Loop {
  /** Returns when the work under way has ended. */
  readonly stop: () => Promise<void>;
}

export interface LoopOptions {
  readonly everyMs: number;
  readonly work: () => Promise<void>;
  /** The loop goes on all the same. */
  readonly onError: (error: unknown) => void;
}

/** One run after the other, with a pause in between: something slow is never begun twice. */
export function startLoop({ everyMs, work, onError }: LoopOptions): Loop {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await work().catch(onError);
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  const ended = run();
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
