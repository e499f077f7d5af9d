import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Log } from './log.ts';
import { withDeadline } from './shutdown.ts';

export type IncidentDetail = Readonly<Record<string, string | number>>;

/** For whoever sees trouble. Neither call blocks or throws; the courier decides what becomes mail. */
export interface Incidents {
  /** Something is wrong, and stays so until `close`. Saying it again changes nothing. */
  readonly open: (kind: string, detail: IncidentDetail) => void;
  /**
   * It is well (again). Said for a kind that was never opened, it is told once all the same: an
   * earlier life of this process may have opened it and died.
   */
  readonly close: (kind: string, detail?: IncidentDetail) => void;
}

export interface IncidentReporter extends Incidents {
  readonly stop: () => Promise<void>;
}

/** What travels to the courier. Ids and numbers only: it ends up in mail. */
export interface IncidentReport {
  readonly service: string;
  /** Which copy of the service: one may be in trouble while another is well. */
  readonly instance: string;
  readonly kind: string;
  readonly state: 'open' | 'closed';
  /** When the service first saw it so, ISO 8601. */
  readonly at: string;
  readonly detail: IncidentDetail;
}

export interface ReporterOptions {
  readonly service: string;
  readonly instance: string;
  /** Stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly log: Log;
  readonly now: () => Date;
}

export const INCIDENT_QUEUE = 'incidents';

const RETRY_MS = 500;
const CLOSE_WITHIN_MS = 500;

/**
 * Keeps the newest state of each kind and brings it to Redis in the background, one at a time, for as
 * long as that takes: what happened between two deliveries is not told, only how it is now.
 */
export function openIncidents(options: ReporterOptions): IncidentReporter {
  const { service, instance, redis, prefix, log, now } = options;
  const queue = new Queue<IncidentReport>(INCIDENT_QUEUE, { connection: redis, prefix });
  queue.on('error', () => undefined); // whoever owns the connection logs it
  const known = new Map<string, IncidentReport>();
  const untold = new Map<string, IncidentReport>();
  const stopping = new AbortController();
  let isTelling = false;

  function report(kind: string, state: IncidentReport['state'], detail: IncidentDetail): void {
    if (known.get(kind)?.state === state) return;
    const at = now().toISOString();
    const news: IncidentReport = { service, instance, kind, state, at, detail };
    known.set(kind, news);
    untold.set(kind, news);
    if (!isTelling) void tellAll();
  }

  async function tellAll(): Promise<void> {
    isTelling = true;
    while (untold.size > 0 && !stopping.signal.aborted) {
      if (redis.status !== 'ready') await pause();
      else for (const news of untold.values()) await tell(news);
    }
    isTelling = false;
  }

  async function pause(): Promise<void> {
    await delay(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  async function tell(news: IncidentReport): Promise<void> {
    try {
      await queue.add(news.kind, news, { removeOnComplete: true, removeOnFail: true });
      if (untold.get(news.kind) === news) untold.delete(news.kind);
    } catch (error) {
      log.debug('an incident could not be reported yet', { kind: news.kind, error });
      await pause();
    }
  }

  return {
    open: (kind, detail) => report(kind, 'open', detail),
    close: (kind, detail = {}) => report(kind, 'closed', detail),
    stop: async () => {
      stopping.abort();
      await withDeadline(queue.close(), CLOSE_WITHIN_MS);
    },
  };
}

/** One report, sent now; for whoever is not a service. Throws what BullMQ throws. */
export async function sendReport(
  { redis, prefix }: Pick<ReporterOptions, 'redis' | 'prefix'>,
  report: IncidentReport,
): Promise<void> {
  const queue = new Queue<IncidentReport>(INCIDENT_QUEUE, { connection: redis, prefix });
  try {
    await queue.add(report.kind, report, { removeOnComplete: true, removeOnFail: true });
  } finally {
    await queue.close();
  }
}
