import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUES, type KopeckEvent, type QueueName, type SourceName } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';

export interface Replay {
  /**
   * Puts events onto their queues once more, under job ids with a nonce: a plain repeat would be
   * swallowed there. The ledger knows them by their own ids, and books nothing twice.
   */
  readonly send: (events: readonly KopeckEvent[]) => Promise<void>;
  /** Jobs that the queues have given up, or those of the named events, wait again. Returns their events' ids. */
  readonly retryFailed: (ids?: ReadonlySet<string>) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

export interface ReplayOptions {
  /** Stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
}

type Found = Partial<KopeckEvent>;

export function openReplay({ redis: connection, prefix }: ReplayOptions): Replay {
  const names = Object.keys(QUEUES) as QueueName[];
  const options = { connection, prefix, skipMetasUpdate: true };
  const queues = new Map(names.map((name) => [name, new Queue(name, options)]));
  // Whoever owns the connection hears of its errors.
  for (const queue of queues.values()) queue.on('error', () => undefined);

  return {
    async send(events) {
      for (const [name, queue] of queues) {
        const sources: readonly SourceName[] = QUEUES[name];
        const own = events.filter(({ source }) => sources.includes(source));
        await queue.addBulk(
          own.map((event) => ({
            name: event.type,
            data: event,
            opts: { ...ENDLESS, jobId: `${jobId(event)}.${randomUUID()}` },
          })),
        );
      }
    },
    async retryFailed(ids) {
      const retried: string[] = [];
      for (const queue of queues.values()) {
        for (const job of await queue.getFailed()) {
          const { id = 'unknown' } = (job.data ?? {}) as Found;
          if (ids !== undefined && !ids.has(id)) continue;
          await job.retry('failed');
          retried.push(id);
        }
      }
      return retried;
    },
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}

/** As the receivers put them there. */
const ENDLESS = {
  removeOnComplete: true,
  attempts: Number.MAX_SAFE_INTEGER,
  backoff: { type: 'fixed', delay: 1_000 },
};
