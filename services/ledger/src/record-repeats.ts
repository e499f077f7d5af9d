import type { PoolConnection } from 'mysql2/promise';
import type { Verdict } from './decide.ts';
import { insert } from './sql.ts';

/** Counts what came again: a repeat leaves no other trace. */
export async function recordRepeats(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
  at: Date,
): Promise<void> {
  const repeats = verdicts.filter(({ kind }) => kind === 'duplicate');
  const byId = Map.groupBy(repeats, ({ event }) => event.id);
  await insert(
    tx,
    `INSERT INTO repeats (event_id, times, first_at, last_at) VALUES ?
      ON DUPLICATE KEY UPDATE times = times + VALUES(times), last_at = VALUES(last_at)`,
    [...byId].map(([id, all]) => [id, all.length, at, at]),
  );
}
