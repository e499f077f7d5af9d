import type { Redis } from 'ioredis';
import type { KopeckEvent } from '@kopeck/core/event';

/** Which payments of a list have been looked at already. Forgotten with Redis, and that does no harm. */
export interface Seen {
  readonly unseen: (events: readonly KopeckEvent[]) => Promise<readonly KopeckEvent[]>;
  readonly add: (events: readonly KopeckEvent[]) => Promise<void>;
  /** Drops what is too old to be looked at again. */
  readonly forgetBefore: (time: Date) => Promise<void>;
}

export function openSeen(redis: Redis, key: string): Seen {
  return {
    async unseen(events) {
      if (events.length === 0) return [];
      const scores = await redis.zmscore(key, ...events.map(({ id }) => id));
      return events.filter((_event, at) => scores[at] === null);
    },
    async add(events) {
      if (events.length === 0) return;
      await redis.zadd(key, ...events.flatMap(({ id, time }) => [Date.parse(time), id]));
    },
    async forgetBefore(time) {
      await redis.zremrangebyscore(key, '-inf', time.getTime());
    },
  };
}
