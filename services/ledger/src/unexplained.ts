import type { Pool, RowDataPacket } from 'mysql2/promise';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';

export interface UnexplainedOptions {
  readonly pool: Pool;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => Date;
}

const EVERY_MS = 15_000;
/** Each is told, also when it has none: a figure that stays away looks like one that is fine. */
const SOURCES = ['sbp', 'cryptobot', 'telegram'] as const;

/** Keeps the figures of payments that wait for a person. Returns what ends it. */
export function watchUnexplained(options: UnexplainedOptions): () => void {
  const look = (): void => {
    tellUnexplained(options).catch((error: unknown) => {
      options.log.debug('unexplained payments could not be counted', { error });
    });
  };
  look();
  const timer = setInterval(look, EVERY_MS);
  return () => clearInterval(timer);
}

/** How many payments of each source nothing explains, and for how long the oldest has waited. */
export async function tellUnexplained({ pool, metrics, now }: UnexplainedOptions): Promise<void> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT p.source, COUNT(DISTINCT r.subject) AS payments, MIN(r.opened_at) AS oldest
      FROM reviews r JOIN payments p ON p.subject = r.subject
      WHERE r.state = 'open' GROUP BY p.source`,
  );
  for (const source of SOURCES) {
    const row = rows.find((candidate) => candidate['source'] === source);
    const ageMs = row === undefined ? 0 : now().getTime() - (row['oldest'] as Date).getTime();
    metrics.gauge('kopeck_unexplained_payments', Number(row?.['payments'] ?? 0), { source });
    metrics.gauge('kopeck_unexplained_oldest_seconds', Math.max(0, ageMs / 1_000), { source });
  }
}
