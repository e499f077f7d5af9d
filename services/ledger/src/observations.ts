import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { QUEUES } from '@kopeck/core/event';
import { openIncidents } from '@kopeck/runtime/incidents';
import type { Log } from '@kopeck/runtime/log';
import { onceADay, startObservations, type Observation } from '@kopeck/runtime/observe';
import type { Closing } from '@kopeck/runtime/shutdown';
import { audit } from './audit/audit.ts';
import { parseSilence, type LedgerConfig } from './config.ts';

type Settings = Pick<
  LedgerConfig,
  'REDIS_PREFIX' | 'AUDIT_HOUR' | 'QUEUE_LATE_MINUTES' | 'PARTNER_SILENT_HOURS'
>;

export interface WatchingOptions {
  readonly config: Settings;
  readonly redis: Redis;
  readonly pool: Pool;
  readonly log: Log;
  readonly now: () => Date;
  readonly closing: Closing;
}

const QUEUE_MS = 5_000;
const PARTNER_MS = 10_000;
const AUDIT_MS = 60_000;
const AUDIT_AFTER_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What only the ledger sees: late queues, silent partners, and whether the books are still right. */
export function startWatching(options: WatchingOptions): void {
  const { config, redis, log, now, closing } = options;
  const prefix = config.REDIS_PREFIX;
  const incidents = openIncidents({
    service: 'ledger',
    instance: randomUUID(),
    redis,
    prefix,
    log,
    now,
  });
  closing.add('incidents', incidents.stop);
  closing.add('observations', startObservations(observationsOf(options), { incidents, log }));
}

export function observationsOf(options: WatchingOptions): readonly Observation[] {
  return [...lateQueues(options), ...silentPartners(options), ...audits(options)];
}

function lateQueues({ config, redis, now, closing }: WatchingOptions): readonly Observation[] {
  return Object.keys(QUEUES).map((name) => {
    const options = { connection: redis, prefix: config.REDIS_PREFIX };
    const queue = new Queue(name, { ...options, skipMetasUpdate: true });
    queue.on('error', () => undefined);
    closing.add(`look at ${name}`, () => queue.close());
    return {
      kind: `queue-late:${name}`,
      everyMs: QUEUE_MS,
      async look() {
        const [oldest] = await queue.getJobs(['waiting', 'active', 'delayed'], 0, 0, true);
        const ageMs = oldest === undefined ? 0 : now().getTime() - oldest.timestamp;
        if (ageMs < config.QUEUE_LATE_MINUTES * MINUTE_MS) return null;
        return { queue: name, oldestSeconds: Math.round(ageMs / 1_000) };
      },
    };
  });
}

/** Of a partner that has never told anything nothing is expected: kopeck doctor says so of it. */
function silentPartners({ config, pool, now }: WatchingOptions): readonly Observation[] {
  const hoursOf = parseSilence(config.PARTNER_SILENT_HOURS) ?? new Map<string, number>();
  return [...hoursOf].map(([source, hours]) => {
    let wasHeard: boolean | null = null;
    return {
      kind: `partner-silent:${source}`,
      everyMs: PARTNER_MS,
      async look() {
        const since = new Date(now().getTime() - hours * HOUR_MS);
        const isHeard = await exists(pool, 'received_at > ?', [source, since]);
        // All of the inbox is searched once: from then on every look hears what comes.
        wasHeard =
          isHeard || (wasHeard ?? (await exists(pool, 'received_at <= ?', [source, since])));
        return isHeard || !wasHeard ? null : { source, hours };
      },
    };
  });
}

async function exists(
  pool: Pool,
  when: string,
  values: readonly [source: string, since: Date],
): Promise<boolean> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT 1 FROM inbox WHERE source = ? AND type <> 'quarantined' AND ${when} LIMIT 1`,
    [...values],
  );
  return rows.length > 0;
}

function audits({ config, pool, now }: WatchingOptions): readonly Observation[] {
  if (config.AUDIT_HOUR === 'off') return [];
  const look = onceADay(Number(config.AUDIT_HOUR), now, async () => {
    const { problem } = await audit(pool);
    return problem === null ? null : { ...problem };
  });
  return [{ kind: 'audit-failed:books', everyMs: AUDIT_MS, afterMs: AUDIT_AFTER_MS, look }];
}
