import type { Log } from '@kopeck/runtime/log';
import { isAway } from './sql.ts';

/** A row that is to be looked at, and when: an order or a refund. */
export interface Due {
  readonly attemptId: string;
  readonly nextLookAt: Date | null;
}

export interface LookerOptions<T extends Due> {
  readonly looks: {
    readonly due: (now: Date, limit: number) => Promise<readonly T[]>;
    /** Moves the next look as long as nobody has moved it since; this is how copies share the work. */
    readonly move: (row: T, to: Date | null) => Promise<boolean>;
  };
  /** Reads one row's state and says when to look again. */
  readonly look: (row: T) => Promise<Date | null>;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Looker {
  /** Looks at everything that is due; resolves to how much that was. */
  readonly lookAtDue: () => Promise<number>;
  /** Something is due: it is looked at at once, in the background. */
  readonly wake: () => void;
  readonly start: () => void;
  readonly close: () => Promise<void>;
}

const EVERY_MS = 1_000;
const BATCH = 10;
/** Longer than a look takes; then another copy may try. */
const LEASE_MS = 90_000;
/** After a look that failed. */
const RETRY_MS = 15_000;

/** Finds the payments whose callback was lost or has just come. Copies share the work by leases. */
export function createLooker<T extends Due>(options: LookerOptions<T>): Looker {
  const { looks, look, log, now } = options;
  const stopping = new AbortController();
  let running: Promise<unknown> | null = null;
  let isAgain = false;

  async function lookAtDue(): Promise<number> {
    const found = await looks.due(now(), BATCH);
    await Promise.all(found.map(lookAt));
    if (found.length < BATCH || stopping.signal.aborted) return found.length;
    return found.length + (await lookAtDue());
  }

  async function lookAt(row: T): Promise<void> {
    const leased: T = { ...row, nextLookAt: later(LEASE_MS) };
    if (!(await looks.move(row, leased.nextLookAt))) return;
    try {
      const next = await look(leased);
      // A callback that came meanwhile has moved the look to its own now, and that stays.
      await looks.move(leased, next);
    } catch (error) {
      log.warn('a payment could not be read', { attempt: row.attemptId, error });
      await looks.move(leased, later(RETRY_MS));
    }
  }

  const later = (ms: number): Date => new Date(now().getTime() + ms);

  function wake(): void {
    isAgain = true;
    running ??= runWhileAsked().finally(() => (running = null));
  }

  async function runWhileAsked(): Promise<void> {
    while (isAgain && !stopping.signal.aborted) {
      isAgain = false;
      await lookAtDue().catch((error: unknown) => {
        log[isAway(error) ? 'debug' : 'error']('due payments could not be read', { error });
      });
    }
  }

  return {
    lookAtDue,
    wake,
    start() {
      const timer = setInterval(wake, EVERY_MS);
      stopping.signal.addEventListener('abort', () => clearInterval(timer));
    },
    async close() {
      stopping.abort();
      await running;
    },
  };
}
