import { isUnavailable } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import { withDeadline, type Closing } from '@kopeck/runtime/shutdown';
import type { Redis } from 'ioredis';
import type { CourierConfig } from './config.ts';
import { startLoop } from './loop.ts';

export interface CourierOptions {
  readonly config: CourierConfig;
  readonly log: Log;
  readonly now: () => Date;
  /** The pause between two looks at each database and at the outbox. Default 1 s. */
  readonly lookEveryMs?: number;
}

/** What everything in the courier is made from. */
export interface Parts extends CourierOptions {
  readonly redis: Redis;
  readonly metrics: Metrics;
  readonly closing: Closing;
}

const CLOSE_WITHIN_MS = 2_000;

export function addLoop(
  { log, closing }: Parts,
  name: string,
  everyMs: number,
  work: () => Promise<void>,
): void {
  const loop = startLoop({
    everyMs,
    work,
    // That the database is away is told by its probe, once.
    onError: (error) => (isUnavailable(error) ? undefined : log.error(`${name} failed`, { error })),
  });
  closing.add(name, () => withDeadline(loop.stop(), CLOSE_WITHIN_MS));
}
