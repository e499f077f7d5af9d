import type { PoolConnection } from 'mysql2/promise';
import type { Verdict } from './decide.ts';
import { insert } from './sql.ts';

/**
 * Keeps when the youngest canary set out, in the transaction of the batch it came with: whatever keeps
 * money from being booked keeps this from being written too. Older ones change nothing.
 */
export async function recordHeartbeat(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
): Promise<void> {
  const canaries = verdicts.filter(({ kind }) => kind === 'heartbeat');
  await insert(
    tx,
    `INSERT INTO heartbeat (id, sent_at) VALUES ?
      ON DUPLICATE KEY UPDATE sent_at = GREATEST(sent_at, VALUES(sent_at))`,
    canaries.map(({ event }) => [1, new Date(event.time)]),
  );
}
