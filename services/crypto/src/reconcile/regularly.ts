import type { Log } from '@kopeck/runtime/log';

export interface Regularly<T> {
  /** Runs now, or after the run that is under way. */
  readonly run: () => Promise<T>;
  readonly stop: () => void;
}

/**
 * Again and again, and never twice at once. `everyMs` 0: only when asked. The work is told whether it
 * was asked for.
 */
export function regularly<T>(
  work: (isAsked: boolean) => Promise<T>,
  everyMs: number,
  log: Log,
): Regularly<T> {
  let running: Promise<T> | null = null;
  const start = (isAsked: boolean): Promise<T> => {
    running ??= work(isAsked).finally(() => (running = null));
    return running;
  };
  const timer =
    everyMs > 0
      ? setInterval(() => {
          start(false).catch((error: unknown) => log.warn('a regular run failed', { error }));
        }, everyMs)
      : undefined;
  return {
    async run() {
      await running?.catch(() => undefined);
      return start(true);
    },
    stop: () => clearInterval(timer),
  };
}
