import { INCIDENT_QUEUE } from '@kopeck/runtime/incidents';
import type { IncidentReport, Incidents } from '@kopeck/runtime/incidents';
import { openDatabase } from '@kopeck/runtime/database';
import { openImpatientDatabase } from '@kopeck/runtime/impatient-database';
import { noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { startObservations } from '@kopeck/runtime/observe';
import { openWorker } from '@kopeck/runtime/queue';
import { openImpatientRedis, openRedis } from '@kopeck/runtime/redis';
import { createClosing, withDeadline } from '@kopeck/runtime/shutdown';
import { createBook } from './book.ts';
import type { Book } from './book.ts';
import { hostObservations } from './host.ts';
import { continued } from './incident.ts';
import type { Incident } from './incident.ts';
import type { Send } from './mailer.ts';
import { openMemory } from './memory.ts';
import { addLoop, type CourierOptions, type Parts } from './parts.ts';
import { createDatabaseProbe, createRedisProbe } from './probes.ts';
import { closeReports, tellReport } from './reports.ts';
import { serve } from './serve.ts';
import type { Courier } from './serve.ts';
import { startDeliveries } from './start-deliveries.ts';
import { startHeartbeat } from './start-heartbeat.ts';
import { startAlerts, startMails } from './start-mails.ts';
import { createWatch } from './watch.ts';
import type { Probe } from './watch.ts';

const LOOK_MS = 1_000;
const REDIS_ANSWERS_WITHIN_MS = 2_000;
const DATABASE_ANSWERS_WITHIN_MS = 2_000;
const MAIL_MS = 250;
const LOAD_WITHIN_MS = 2_000;
const CLOSE_WITHIN_MS = 2_000;
const HOUR_MS = 3_600_000;
const NOT_CONFIGURED = 'SMTP_URL or ALERT_EMAIL is not set: no alert is mailed';

/** Starts without MariaDB, Redis and the mail server: telling that they are away is its work. */
export async function startCourier(options: CourierOptions): Promise<Courier> {
  const closing = createClosing(options.log);
  const redis = openRedis(options.config.REDIS_URL, options.log);
  closing.add('redis', () => redis.disconnect());
  try {
    return await start({ ...options, redis, closing, metrics: createMetrics('courier') });
  } catch (error) {
    await closing.run();
    throw error;
  }
}

async function start(parts: Parts): Promise<Courier> {
  const { config, log, now, redis, metrics } = parts;
  const cap = await startMails(parts);
  const send = cap?.send ?? null;
  const isMuted = cap?.isMuted ?? (() => false);
  const warnings = send === null ? [NOT_CONFIGURED] : [];
  for (const warning of warnings) log.warn(warning);

  const memory = openMemory<Incident>({
    redis,
    key: `${config.REDIS_PREFIX}:incidents`,
    merge: continued,
    log,
  });
  await withDeadline(memory.loaded, LOAD_WITHIN_MS);

  const patience = {
    reminderMs: config.COURIER_REMINDER_HOURS * HOUR_MS,
    retryMs: config.COURIER_RETRY_MS,
  };
  const mute: Send = () => Promise.resolve();
  const book = createBook({ memory, send: send ?? mute, isMuted, patience, log, metrics, now });
  startProbes(parts, book);
  startHostObservations(parts, book);
  startReports(parts, book);
  addLoop(parts, 'mail', MAIL_MS, book.tell);
  if (cap !== null) await startAlerts(parts, cap);
  startDailyReports(parts, send);
  startHeartbeat(parts);
  const silent = startDeliveries(parts, book);
  for (const warning of silent) log.warn(warning);
  return serve(parts, [...warnings, ...silent]);
}

function startHostObservations({ config, log, now, closing }: Parts, book: Book): void {
  const service = 'courier';
  const incidents: Incidents = {
    open: (kind, detail) => book.open(kind, { service, kind, detail, since: now().toISOString() }),
    close: (kind) => book.close(kind, now().toISOString()),
  };
  const observations = hostObservations(config, now);
  closing.add('host', startObservations(observations, { incidents, log }));
}

function startProbes(parts: Parts, book: Book): void {
  const { config, closing, now, metrics } = parts;
  const impatient = openImpatientRedis(config.REDIS_URL, noLog, REDIS_ANSWERS_WITHIN_MS);
  closing.add('redis probe', () => impatient.disconnect());
  const database = openImpatientDatabase(config.DATABASE_URL, DATABASE_ANSWERS_WITHIN_MS);
  closing.add('database probe', database.close);

  const probes = {
    'database-down': createDatabaseProbe(database),
    'redis-down': createRedisProbe(impatient),
  };
  for (const [kind, probe] of Object.entries<Probe>(probes)) {
    const watch = createWatch({
      probe,
      graceMs: config.COURIER_GRACE_MS,
      now,
      isDown: (since, code) =>
        book.open(kind, { service: 'courier', kind, detail: { code }, since: since.toISOString() }),
      isUp: (since) => book.close(kind, since.toISOString()),
    });
    addLoop(parts, kind, parts.lookEveryMs ?? LOOK_MS, async () => {
      await watch();
      metrics.count('kopeck_probes_total', { probe: kind });
    });
  }
}

function startReports({ redis, config, log, closing }: Parts, book: Book): void {
  const worker = openWorker<IncidentReport>(
    INCIDENT_QUEUE,
    async (report) => book.report(report),
    {
      redis,
      prefix: config.REDIS_PREFIX,
      concurrency: 1,
      lockMs: 10_000,
      stalledMs: 5_000,
    },
    log,
  );
  closing.add('reports', () => withDeadline(worker.close(), CLOSE_WITHIN_MS));
}

function startDailyReports(parts: Parts, send: Send | null): void {
  const { config, log, now, closing } = parts;
  const pool = openDatabase(config.DATABASE_URL, { connections: 1 });
  closing.add('daily reports', () => withDeadline(pool.end(), CLOSE_WITHIN_MS));
  const retryMs = config.COURIER_RETRY_MS;
  addLoop(parts, 'reports', parts.lookEveryMs ?? LOOK_MS, () =>
    send === null ? closeReports(pool, now()) : tellReport({ pool, send, retryMs, log, now }),
  );
}
