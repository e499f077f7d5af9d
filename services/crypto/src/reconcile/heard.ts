import type { Redis } from 'ioredis';
import type { KopeckEvent } from '@kopeck/core/event';
import type { Log } from '@kopeck/runtime/log';

/** Payments of which a webhook has told: their list may say less. Forgotten with Redis, and that does no harm. */
export interface Heard {
  readonly unheard: (events: readonly KopeckEvent[]) => Promise<readonly KopeckEvent[]>;
  readonly add: (event: KopeckEvent) => Promise<void>;
}

/** `days`: for as long as the list is looked at. */
export function openHeard(redis: Redis, prefix: string, days: number): Heard {
  const keyOf = ({ id }: KopeckEvent): string => `${prefix}:events-crypto:heard:${id}`;
  return {
    async unheard(events) {
      if (events.length === 0) return [];
      const marks = await redis.mget(events.map(keyOf));
      return events.filter((_event, at) => marks[at] === null);
    },
    async add(event) {
      await redis.set(keyOf(event), '1', 'EX', Math.ceil(days * 86_400));
    },
  };
}

/** Nobody waits for it: a payment that is not remembered is only looked at once more. */
export function hear(event: KopeckEvent, heard: Heard, log: Log): void {
  if (event.type !== 'payment.paid') return;
  heard.add(event).catch((error: unknown) => {
    log.debug('a payment that was heard of is not remembered', { error });
  });
}
