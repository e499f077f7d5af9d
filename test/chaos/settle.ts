import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUES } from '@kopeck/core/event';
import { query } from '../rig/books.ts';
import type { Rig } from '../rig/rig.ts';
import { bankTruth } from './bank.ts';
import type { Shop } from './shop.ts';
import { together, type Truth } from './truth.ts';

export interface SettleOptions {
  readonly shop: Shop;
  /** What others than the shop and its bank know. */
  readonly others: readonly Truth[];
  readonly quietMs: number;
  readonly log: (line: string) => void;
}

const LOOK_MS = 500;
const AT_MOST_MS = 300_000;

/**
 * Waits until all that was promised is booked and the queues are empty, or until nothing has changed
 * for so long that nothing will. It judges nothing.
 */
export async function settle(
  rig: Rig,
  { shop, others, quietMs, log }: SettleOptions,
): Promise<void> {
  const redis = new Redis(rig.redis.url, { maxRetriesPerRequest: null });
  const queues = Object.keys(QUEUES).map(
    (name) => new Queue(name, { connection: redis, prefix: '{kopeck}' }),
  );
  const deadline = performance.now() + AT_MOST_MS;
  let last = '';
  let since = performance.now();
  try {
    while (performance.now() < deadline && performance.now() - since < quietMs) {
      const missing = await missingIn(rig, shop, others);
      const counts = await Promise.all(
        queues.map((queue) => queue.getJobCountByTypes('waiting', 'active', 'delayed')),
      );
      const queued = counts.reduce((sum, count) => sum + count, 0);
      if (missing === 0 && queued === 0) return;
      const state = `${missing} not booked yet, ${queued} in the queues`;
      if (state !== last) {
        log(state);
        since = performance.now();
      }
      last = state;
      await delay(LOOK_MS);
    }
  } finally {
    await Promise.all(queues.map((queue) => queue.close()));
    redis.disconnect();
  }
}

async function missingIn(rig: Rig, shop: Shop, others: readonly Truth[]): Promise<number> {
  const { accepted } = together(await bankTruth(rig, shop), shop, ...others);
  const rows = await query(rig, 'SELECT event_id FROM inbox');
  const booked = new Set(rows.map((row) => String(row['event_id'])));
  return [...accepted].filter((id) => !booked.has(id)).length;
}
