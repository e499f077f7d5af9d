import { setTimeout as delay } from 'node:timers/promises';
import type { KopeckEvent } from '@kopeck/core/event';
import type { Log } from '@kopeck/runtime/log';
import type { Verdict } from './decide.ts';
import { keptOf } from './kept.ts';

export interface BatcherOptions {
  /** Books all of them or throws; a verdict for each, in their order. */
  readonly book: (events: readonly KopeckEvent[]) => Promise<readonly Verdict[]>;
  readonly log: Log;
  /** Ends the waiting for a database that is away; the jobs then stay with the queue. */
  readonly signal: AbortSignal;
}

export interface Batcher {
  /** Resolves when the event is committed. While the database is away it waits, however long. */
  readonly add: (event: KopeckEvent) => Promise<Verdict>;
}

interface Waiting {
  readonly event: KopeckEvent;
  readonly bytes: number;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_EVENTS = 200;
const MAX_BYTES = 4 * 2 ** 20;
const RETRY_AFTER_MS = 500;
const LOG_EVERY = 60;

/** Group commit: one transaction at a time, with whatever came while the one before was under way. */
export function createBatcher({ book, log, signal }: BatcherOptions): Batcher {
  const queue: Waiting[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (queue.length > 0) {
      const batch = queue.splice(0, sizeOfNext(queue));
      try {
        const verdicts = await bookPatiently(batch.map(({ event }) => event));
        batch.forEach(({ resolve, reject }, index) => {
          const verdict = verdicts[index];
          if (verdict === undefined) reject(new Error('an event came back without a verdict'));
          else resolve(verdict);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  }

  async function bookPatiently(events: readonly KopeckEvent[]): Promise<readonly Verdict[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await book(events);
      } catch (error) {
        if (attempt % LOG_EVERY === 1) log.warn('booking waits', { events: events.length, error });
        await delay(RETRY_AFTER_MS, undefined, { signal });
      }
    }
  }

  return {
    add: (event) =>
      new Promise((resolve, reject) => {
        // What the booking needs of it is made while the batch before is in the database.
        keptOf(event);
        queue.push({ event, bytes: event.evidence.length, resolve, reject });
        // The rest of this turn's events come along.
        if (!isRunning) {
          isRunning = true;
          setImmediate(() => void run());
        }
      }),
  };
}

function sizeOfNext(queue: readonly Waiting[]): number {
  let bytes = 0;
  const end = queue.findIndex((waiting, index) => {
    bytes += waiting.bytes;
    return index > 0 && (index >= MAX_EVENTS || bytes > MAX_BYTES);
  });
  return end === -1 ? queue.length : end;
}
