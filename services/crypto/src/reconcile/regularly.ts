import type { Log } from '@kopeck/runtime/log';

export interface Regularly<T> {
  /** Runs now, or joins the run that is under way. */
  readonly run: () => Promise<T>;
  readonly stop: () => void;
}

/** Again and again, and never twice at once. `everyMs` 0: only when asked. */
export function regularly<T>(work: () => Promise<T>, everyMs: number, log: Log): Regularly<T> {
  let running: Promise<T> | null = null;
  const run = (): Promise<T> => {
    running ??= work().finally(() => (running = null));
    return running;
  };
  const timer =
    everyMs > 0
      ? setInterval(() => {
          run().catch((error: unknown) => log.warn('a regular run failed', { error }));
        }, everyMs)
      : undefined;
  return { run, stop: () => clearInterval(timer) };
}
