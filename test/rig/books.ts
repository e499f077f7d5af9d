import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUES } from '@kopeck/core/event';
import { canonicalAmount } from '@kopeck/core/money';
import { waitFor } from '@kopeck/testing/wait-for';
import type { Rig } from './rig.ts';

/** Every balance that is not zero, as 'account amount asset', straight from MariaDB. */
export async function balances(rig: Rig): Promise<readonly string[]> {
  const rows = await query(rig, 'SELECT account, asset, amount FROM balances WHERE amount <> 0');
  return rows
    .map((row) => `${row['account']} ${canonicalAmount(String(row['amount']))} ${row['asset']}`)
    .sort();
}

export async function query(rig: Rig, sql: string): Promise<readonly RowDataPacket[]> {
  const connection = await createConnection(rig.databaseUrl);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    await connection.end();
  }
}

/** Waits until every one of the ids is in the inbox. */
export async function allBooked(
  rig: Rig,
  ids: readonly string[],
  timeoutMs = 30_000,
): Promise<void> {
  const wanted = new Set(ids);
  await waitFor(
    async () => {
      const rows = await query(rig, 'SELECT event_id FROM inbox');
      const there = new Set(rows.map((row) => String(row['event_id'])));
      return [...wanted].every((id) => there.has(id));
    },
    { timeoutMs, everyMs: 200, what: `${wanted.size} events to be booked` },
  );
}

/** What must be true of any books: assets add up to zero, balances are the sums of postings. */
export async function assertSound(rig: Rig): Promise<void> {
  const uneven = await query(
    rig,
    'SELECT asset FROM postings GROUP BY asset HAVING SUM(amount) <> 0',
  );
  const differing = await query(
    rig,
    `SELECT b.account FROM balances b LEFT JOIN
       (SELECT account, asset, SUM(amount) AS total FROM postings GROUP BY account, asset) p USING (account, asset)
      WHERE b.amount <> p.total OR p.total IS NULL`,
  );
  const [gaps] = await query(rig, 'SELECT COUNT(*) - COALESCE(MAX(seq), 0) AS n FROM inbox');
  if (uneven.length > 0 || differing.length > 0 || Number(gaps?.['n']) !== 0) {
    throw new Error(`unsound books: ${JSON.stringify({ uneven, differing, gaps })}`);
  }
}

/** Jobs that BullMQ has given up; there must never be one. */
export async function failedJobs(rig: Rig): Promise<number> {
  const redis = new Redis(rig.redis.url, { maxRetriesPerRequest: null });
  let failed = 0;
  for (const name of Object.keys(QUEUES)) {
    const queue = new Queue(name, { connection: redis, prefix: '{kopeck}' });
    failed += await queue.getFailedCount();
    await queue.close();
  }
  redis.disconnect();
  return failed;
}
