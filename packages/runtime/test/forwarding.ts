import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { KopeckEvent } from '@kopeck/core/event';
import { startForwarder, type Forwarder, type ForwarderOptions } from '@kopeck/runtime/forwarder';
import { openJournal, type Journal } from '@kopeck/runtime/journal';
import { openQueue, openWorker } from '@kopeck/runtime/queue';
import { openRedis, type UnsafeRedisError } from '@kopeck/runtime/redis';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { recordingLog, type Line } from './recording-log.ts';

const QUEUE = 'events-epn';

/** A journal, a forwarder and a look at the queue behind them. */
export interface Rig {
  readonly journal: Journal;
  readonly redis: Redis;
  readonly epochKey: string;
  readonly lines: readonly Line[];
  readonly safety: readonly (UnsafeRedisError | null)[];
  readonly append: (events: readonly KopeckEvent[]) => Promise<void>;
  readonly start: (changed?: Partial<ForwarderOptions>) => Forwarder;
  readonly stop: () => Promise<void>;
  /** Returns when the queue has acknowledged everything. */
  readonly drained: () => Promise<void>;
  /** The ids of the jobs that wait in the queue, the oldest first. */
  readonly jobs: () => Promise<string[]>;
  /** Starts a worker; returns the ids of the jobs it has done, in order, as it goes on. */
  readonly work: () => readonly string[];
  readonly close: () => Promise<void>;
}

export async function createRig(url: string, folder: string): Promise<Rig> {
  const { log, lines } = recordingLog();
  const { prefix } = createTestRedis(url);
  const dir = mkdtempSync(join(folder, 'journal-'));
  const journal = await openJournal({
    dir,
    maxBytes: 2 ** 28,
    keepHours: 24,
    now: () => new Date(),
  });
  const redis = openRedis(url, log);
  const looking = openRedis(url, log);
  const queue = new Queue(QUEUE, { connection: looking, prefix });
  queue.on('error', () => undefined);
  const epochKey = `${prefix}:epoch:${journal.id}`;
  const safety: (UnsafeRedisError | null)[] = [];
  const closings: (() => Promise<unknown>)[] = [];
  let forwarder: Forwarder | undefined;

  return {
    journal,
    redis,
    epochKey,
    lines,
    safety,
    async append(events) {
      await Promise.all(events.map((event) => journal.append(event)));
      forwarder?.wake();
    },
    start(changed = {}) {
      forwarder = startForwarder({
        journal,
        queue: openQueue(QUEUE, redis, prefix),
        redis,
        epochKey,
        unsafe: false,
        log,
        onSafety: (error) => void safety.push(error),
        ...changed,
      });
      return forwarder;
    },
    stop: async () => forwarder?.close(),
    drained: async () => {
      await waitFor(async () => (await journal.waiting()) === 0, {
        what: 'the journal to be forwarded',
      });
    },
    async jobs() {
      const jobs = await queue.getJobs(['waiting'], 0, -1, true);
      return jobs.map(({ id }) => id ?? '');
    },
    work() {
      const done: string[] = [];
      const own = openRedis(url, log);
      const options = { prefix, concurrency: 20, lockMs: 1_000, stalledMs: 500, redis: own };
      const worker = openWorker<KopeckEvent>(QUEUE, () => Promise.resolve(), options, log);
      // Not before Redis has let go of it: until then a repeat is swallowed.
      worker.on('completed', ({ id = '' }) => void done.push(id));
      closings.push(async () => {
        await worker.close(true);
        own.disconnect();
      });
      return done;
    },
    async close() {
      await forwarder?.close();
      for (const close of closings) await close();
      await journal.close();
      redis.disconnect();
      looking.disconnect();
    },
  };
}
