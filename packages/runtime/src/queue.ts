import { Queue, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { KopeckEvent, QueueName } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import type { Log } from './log.ts';

export interface EventQueue {
  /** Returns when Redis has acknowledged all of them; a repeat of a job id is swallowed there. */
  readonly publish: (events: readonly KopeckEvent[]) => Promise<void>;
  readonly waiting: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/**
 * The connection stays the caller's: BullMQ does not close what it did not open. What is set here holds
 * for the whole queue, so whoever else opens it says `skipMetasUpdate`.
 */
export function openQueue(name: QueueName, redis: Redis, prefix: string): EventQueue {
  const queue = new Queue(name, {
    connection: redis,
    prefix,
    defaultJobOptions: {
      removeOnComplete: true,
      attempts: Number.MAX_SAFE_INTEGER,
      backoff: { type: 'fixed', delay: 1_000 },
    },
    streams: { events: { maxLen: 100 } },
  });
  queue.on('error', () => undefined);
  return {
    async publish(events) {
      await queue.addBulk(
        events.map((event) => ({ name: event.type, data: event, opts: { jobId: jobId(event) } })),
      );
    },
    waiting: () => queue.count(),
    close: () => queue.close(),
  };
}

export interface WorkerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly concurrency: number;
  /** After which silence of a worker its jobs are given to another. */
  readonly lockMs: number;
  readonly stalledMs: number;
}

/**
 * At least once, and never into the failed set: a worker that was killed twice must not cost an event
 * its place (BullMQ's default gives up after one stall), so nothing is ever counted against a job.
 */
export function openWorker<T>(
  name: string,
  process: (data: T, job: Job<T>) => Promise<void>,
  { redis, prefix, concurrency, lockMs, stalledMs }: WorkerOptions,
  log: Log,
): Worker<T> {
  const worker = new Worker<T>(name, (job) => process(job.data, job), {
    connection: redis,
    prefix,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledMs,
    maxStalledCount: 1e9,
    removeOnComplete: { count: 0 },
  });
  worker.on('error', (error) => log.debug('worker error', { queue: name, error: error.message }));
  worker.on('failed', (job, error) =>
    log.error('job failed', { queue: name, job: job?.id, error }),
  );
  return worker;
}
