import type { Pool, RowDataPacket } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { readListed, type Listed } from '../../../services/epn/src/stats/listed.ts';
import { Advice, type Context } from './command.ts';
import { withRedis } from './with-redis.ts';

const DAY_MS = 86_400_000;

/**
 * epn may not see the books, and the ledger not EPN: here, where the operator may see both, the list that
 * epn keeps is compared. What is younger than a day may not be listed yet; the first day of the list is
 * left out, because EPN does not say in which zone its days begin.
 */
export async function tellMissing(context: Context): Promise<number> {
  const { value, say } = context;
  const listed = await withRedis(context, ({ redis, prefix }) => readListed(redis, prefix));
  if (listed === null) {
    throw new Advice(
      'There is no list of the statistics of EPN yet: is EPN_STATS_CLIENT_ID set, and epn up?',
    );
  }
  const pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    const known = new Set(listed.actionIds);
    const booked = await completed(pool, listed);
    const missing = booked.filter(({ actionId }) => !known.has(actionId));
    say(`Asked at ${listed.askedAt}: ${known.size} actions have changed since ${listed.from}.`);
    say(`Of ${booked.length} completed in the books then, ${missing.length} are not listed.`);
    for (const { actionId, order, amount } of missing)
      say(`  ${actionId}  order ${order}  ${amount}`);
    return missing.length === 0 ? 0 : 1;
  } finally {
    await pool.end();
  }
}

interface Booked {
  readonly actionId: string;
  readonly order: string;
  readonly amount: string;
}

/** Those with an id of EPN's own: what Kopeck made up for an action without one is in no list. */
async function completed(pool: Pool, { from, askedAt }: Listed): Promise<readonly Booked[]> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT action_id, order_number, commission, asset FROM affiliate_actions
      WHERE partner = 'epn_bz' AND status = 'completed' AND action_id NOT LIKE 'syn\\_%'
        AND updated_at >= ? AND updated_at < ? ORDER BY updated_at`,
    [new Date(Date.parse(from) + DAY_MS), new Date(Date.parse(askedAt) - DAY_MS)],
  );
  return rows.map((row) => ({
    actionId: String(row['action_id']),
    order: String(row['order_number']),
    amount: row['commission'] === null ? 'no amount' : `${row['commission']} ${row['asset']}`,
  }));
}
