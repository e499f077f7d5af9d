import type { Pool, RowDataPacket } from 'mysql2/promise';

/** The plans that an account was ever given, and until when each runs; null: all of it was taken back. */
export function subscriptionsOf(pool: Pool) {
  return async (account: string): Promise<unknown> => {
    const [rows] = await pool.query<RowDataPacket[]>(
      'SELECT plan, active_until FROM subscriptions WHERE user = ? ORDER BY plan',
      [account.replace(/^user:/, '')],
    );
    const subscriptions = rows.map((row) => ({
      plan: String(row['plan']),
      activeUntil: (row['active_until'] as Date | null)?.toISOString() ?? null,
    }));
    return { account, subscriptions };
  };
}
