import type { Log } from './log.ts';
import { within } from './within.ts';

const EXIT_WITHIN_MS = 15_000;
/** One part that hangs must leave time for the others. */
const STEP_WITHIN_MS = 10_000;

/** Closing functions, run last in, first out; one that fails or hangs does not keep the others open. */
export interface Closing {
  readonly add: (name: string, close: () => Promise<unknown> | void) => void;
  readonly run: () => Promise<void>;
}

export function createClosing(log: Log, stepWithinMs = STEP_WITHIN_MS): Closing {
  const steps: { name: string; close: () => Promise<unknown> | void }[] = [];
  let running: Promise<void> | null = null;

  async function runAll(): Promise<void> {
    for (const { name, close } of steps.toReversed()) {
      let isSettled = false;
      const closing = Promise.resolve()
        .then(close)
        .catch((error: unknown) => log.warn('closing failed', { part: name, error }))
        .finally(() => (isSettled = true));
      await withDeadline(closing, stepWithinMs);
      if (!isSettled) log.warn('closing takes too long and is left', { part: name });
    }
  }

  return {
    add: (name, close) => void steps.push({ name, close }),
    run: () => (running ??= runAll()),
  };
}

/** SIGTERM and SIGINT close everything and end the process; what hangs is left after 15 s. */
export function closeOnSignal(closing: Closing, log: Log): void {
  const stop = (signal: string): void => {
    log.info('stopping', { signal });
    setTimeout(() => process.exit(1), EXIT_WITHIN_MS).unref();
    void closing.run().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

/** Resolves as the promise does, or after the deadline: BullMQ's close() never ends while Redis is dead. */
export async function withDeadline(promise: Promise<unknown>, ms: number): Promise<void> {
  await within(promise, ms, () => new Error('late')).catch(() => undefined);
}
