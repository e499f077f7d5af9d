import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { decodeEvent, UndecodableEvent } from '@kopeck/core/event-schema';
import { QUEUES, type KopeckEvent, type QueueName } from '@kopeck/core/event';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import { openWorker } from '@kopeck/runtime/queue';
import { withDeadline } from '@kopeck/runtime/shutdown';
import type { Batcher } from './batcher.ts';
import type { Verdict } from './decide.ts';
import { quarantineOfGarbage } from './quarantine.ts';

export interface WorkersOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly lockMs: number;
  readonly stalledMs: number;
  readonly batcher: Batcher;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

/**
 * As many events of one queue may wait for the next commit. BullMQ fetches that many, one after the other,
 * before it begins with the first, and until then renews no lock: with 10 s, a command to Redis must stay
 * below 50 ms. Four workers of 50 would bear 200 ms, and book half as much.
 */
export const CONCURRENCY = 200;
const CLOSE_WITHIN_MS = 5_000;

/** One BullMQ worker a queue, all of them feeding the one batcher. Returns what closes them. */
export function startWorkers(options: WorkersOptions): () => Promise<void> {
  const names = Object.keys(QUEUES) as QueueName[];
  const workers = names.map((name) => startWorker(name, options));
  return async () => {
    await Promise.all(workers.map((worker) => closeWorker(worker)));
  };
}

function startWorker(queue: QueueName, options: WorkersOptions): Worker<unknown> {
  const { redis, prefix, lockMs, stalledMs, batcher, log, metrics } = options;
  return openWorker<unknown>(
    queue,
    async (data) => {
      const verdict = await batcher.add(readEvent(queue, data, options));
      const outcome = verdict.kind === 'new' ? verdict.outcome : verdict.kind;
      metrics.count('kopeck_booked_total', { source: verdict.event.source, outcome });
      log.info(`event ${outcome}`, lineOf(verdict));
    },
    { redis, prefix, concurrency: CONCURRENCY, lockMs, stalledMs },
    log,
  );
}

/** Garbage on a queue fails no job: it is kept as evidence and a person is told. */
function readEvent(queue: QueueName, data: unknown, { log, now }: WorkersOptions): KopeckEvent {
  try {
    return decodeEvent(queue, data);
  } catch (error) {
    if (!(error instanceof UndecodableEvent)) throw error;
    log.error('what is on the queue is no event', { queue, error: error.message });
    return quarantineOfGarbage(queue, data, now());
  }
}

function lineOf(verdict: Verdict): Record<string, unknown> {
  const { event } = verdict;
  const reason = verdict.kind === 'new' ? verdict.reason : null;
  return {
    event: event.id,
    source: event.source,
    type: event.type,
    ...(reason === null ? {} : { reason }),
  };
}

/** A job that cannot be finished in time keeps its place: its lock runs out and another worker takes it. */
async function closeWorker(worker: Worker<unknown>): Promise<void> {
  await withDeadline(worker.close(), CLOSE_WITHIN_MS);
  await withDeadline(worker.close(true), CLOSE_WITHIN_MS);
}
