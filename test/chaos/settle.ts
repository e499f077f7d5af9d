import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUES } from '@kopeck/core/event';
import { query } from '../rig/books.ts';
import type { Rig } from '../rig/rig.ts';
import type { Told } from './senders.ts';
import type { Shop } from './shop.ts';

export interface SettleOptions {
  readonly told: Told;
  readonly shop: Shop;
  readonly quietMs: number;
  readonly log: (line: string) => void;
}

const LOOK_MS = 500;
const AT_MOST_MS = 300_000;

/**
 * Waits until all that was promised is booked and the queues are empty, or until nothing has changed
 * for so long that nothing will. It judges nothing.
 */
export async function settle(rig: Rig, { told, shop, quietMs, log }: SettleOptions): Promise<void> {
  const redis = new Redis(rig.redis.url, { maxRetriesPerRequest: null });
  const queues = Object.keys(QUEUES).map(
    (name) => new Queue(name, { connection: redis, prefix: '{kopeck}' }),
  );
  const deadline = performance.now() + AT_MOST_MS;
  let last = '';
  let since = performance.now();
  try {
    while (performance.now() < deadline && performance.now() - since < quietMs) {
      const missing = await missingIn(rig, told, shop);
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

async function missingIn(rig: Rig, { accepted }: Told, { paid }: Shop): Promise<number> {
  const rows = await query(rig, 'SELECT event_id FROM inbox');
  const booked = new Set(rows.map((row) => String(row['event_id'])));
  const sql = "SELECT order_id FROM payments WHERE order_source = 'sbp'";
  const payments = new Set((await query(rig, sql)).map((row) => String(row['order_id'])));
  const events = [...accepted].filter((id) => !booked.has(id)).length;
  return events + [...paid].filter((order) => !payments.has(order)).length;
}
