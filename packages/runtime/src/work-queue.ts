import { defaultRepeatStrategy, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Log } from './log.ts';

/** Work of a service's own. What became of it must be kept elsewhere: Redis is disposable. */
export interface WorkQueue<T> {
  /** A repeat of an id that is still queued is swallowed. */
  readonly add: (work: readonly { readonly id: string; readonly data: T }[]) => Promise<void>;
  /** One job at each time of the cron expression, however many copies say so; null takes it away. */
  readonly schedule: (id: string, cron: string | null, data: T) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface WorkQueueOptions {
  /** Stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly attempts: number;
  readonly backoffMs: number;
}

export function openWorkQueue<T>(name: string, options: WorkQueueOptions): WorkQueue<T> {
  const { redis: connection, prefix, attempts, backoffMs } = options;
  const opts = {
    attempts,
    backoff: { type: 'exponential', delay: backoffMs },
    removeOnComplete: true,
    removeOnFail: true,
  };
  // The types of BullMQ take data and names apart from T; a job here is data alone.
  const queue = new Queue(name, { connection, prefix, defaultJobOptions: opts });
  queue.on('error', () => undefined);
  return {
    async add(work) {
      await queue.addBulk(work.map(({ id, data }) => ({ name, data, opts: { jobId: id } })));
    },
    async schedule(id, cron, data) {
      if (cron === null) await queue.removeJobScheduler(id);
      else await queue.upsertJobScheduler(id, { pattern: cron, tz: 'UTC' }, { name, data, opts });
    },
    close: () => queue.close(),
  };
}

/** When `schedule` would make the next job of it, in UTC; null: it is no cron expression, or never comes. */
export function nextTime(cron: string, after: Date): Date | null {
  try {
    const next = defaultRepeatStrategy(after.getTime(), { pattern: cron, tz: 'UTC' });
    return next === undefined ? null : new Date(next);
  } catch {
    return null;
  }
}

export interface Work<T> {
  readonly id: string;
  readonly data: T;
  /** No attempt comes after this one. */
  readonly isLast: boolean;
}

export interface WorkerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly concurrency: number;
  readonly lockMs: number;
  readonly stalledMs: number;
  readonly log: Log;
}

/** Throwing asks for another attempt, as long as there are any. Returns how to stop. */
export function startWorker<T>(
  name: string,
  process: (work: Work<T>) => Promise<void>,
  options: WorkerOptions,
): { readonly close: () => Promise<void> } {
  const { redis, prefix, concurrency, lockMs, stalledMs, log } = options;
  const worker = new Worker<T>(
    name,
    async (job) => {
      const { id = '', data, attemptsMade, opts } = job;
      await process({ id, data, isLast: attemptsMade + 1 >= (opts.attempts ?? 1) });
    },
    {
      connection: redis,
      prefix,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      maxStalledCount: 1e9,
    },
  );
  worker.on('error', (error) => log.debug('worker error', { queue: name, error: error.message }));
  return { close: () => worker.close() };
}
