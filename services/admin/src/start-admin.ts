import { openDatabase } from '@kopeck/runtime/database';
import type { RequestHandler } from 'express';
import type { Log } from '@kopeck/runtime/log';
import type { Pool } from 'mysql2/promise';
import { startReceiver, type Receiver, type ReceiverDeps } from '@kopeck/runtime/receiver';
import type { AdminConfig } from './config.ts';
import { warningsOf } from './config.ts';
import { DEADLINES, type Deadlines } from './fetch-all.ts';
import { createRegistry, type Registry } from './servers/registry.ts';
import { openLanes } from './bulk/lanes.ts';
import type { ApiKeys } from './authorise.ts';
import { openBackground } from './background.ts';
import { followSubscriptions } from './subscriptions.ts';
import { startHeartbeat } from './heartbeat.ts';
import { startSchedule } from './bulk/schedule.ts';
import { sweepEvents } from './refresh-events.ts';
import { queueBoard } from './queues/board.ts';
import { adminRoutes } from './routes.ts';

/** Of the queues and streams of a bulk, and of the looks for what was left behind or subscribed to. */
export const TIMING = {
  backoffMs: 2_000,
  lockMs: 30_000,
  stalledMs: 10_000,
  sweepMs: 30_000,
  followMs: 5_000,
  forgetMs: 1_000,
  streamMs: 25_000,
};

/** A bulk works on many purchases at once, and nobody else must wait for it. */
const CONNECTIONS = 10;

export interface Overrides {
  readonly deadlines?: Deadlines;
  readonly timing?: typeof TIMING;
  /** Of today: keys may be replaced while the service runs. */
  readonly apiKeys?: ApiKeys;
}

export async function startAdmin(
  config: AdminConfig,
  log: Log,
  { deadlines = DEADLINES, timing = TIMING, apiKeys = () => config.ADMIN_API_KEY }: Overrides = {},
): Promise<Receiver> {
  const pool = openDatabase(config.DATABASE_URL, { connections: CONNECTIONS });
  return startReceiver({
    name: 'admin',
    queue: 'events-admin',
    config,
    port: config.ADMIN_PORT,
    metricsPort: config.ADMIN_METRICS_PORT,
    log,
    warnings: warningsOf(config),
    ready: async () => ({ database: await isAnswering(() => pool.query('SELECT 1')) }),
    routes: (deps) => {
      deps.closing.add('database', () => pool.end());
      const registry = startRegistry(config, { ...deps, pool, deadlines });
      const told = new Set<string>();
      const performing = { ...deps, pool, deadlines, told, panels: registry.panels };
      const lanes = openLanes({ deps: performing, prefix: config.REDIS_PREFIX, ...timing });
      const staleMs = config.SUB_REFRESH_MINUTES * 60_000 || null;
      const background = openBackground(performing);
      followSubscriptions({
        ...performing,
        plans: config.PLAN_SERVERS,
        background,
        everyMs: timing.followMs,
      });
      sweepEvents({ deps: performing, ...timing });
      startHeartbeat(deps, config.HEARTBEAT_MINUTES);
      const cron = config.ADMIN_REFRESH_CRON || null;
      startSchedule({
        deps: { ...performing, lanes },
        prefix: config.REDIS_PREFIX,
        cron,
        ...timing,
      });
      return adminRoutes({
        ...performing,
        ...timing,
        lanes,
        registry,
        background,
        staleMs,
        isSealable: config.ADMIN_ENCRYPTION_KEY.length > 0,
        apiKeys,
        board: boardOf(config, deps),
        receiverHealthUrls: config.RECEIVER_HEALTH_URLS.split(',').filter(Boolean),
      });
    },
  });
}

function boardOf(
  { QUEUES_REDIS_URL: redisUrl, REDIS_PREFIX: prefix, QUEUES_WRITABLE: isWritable }: AdminConfig,
  { log, closing }: Pick<ReceiverDeps, 'log' | 'closing'>,
): RequestHandler | null {
  if (redisUrl === undefined) return null;
  return queueBoard({ redisUrl, prefix, isWritable, log, closing });
}

const LOAD_EVERY_MS = 10_000;

type RegistryDeps = Pick<ReceiverDeps, 'log' | 'now' | 'closing'> & {
  readonly pool: Pool;
  readonly deadlines: Deadlines;
};

/** Servers that another copy has added are known here some seconds later. */
function startRegistry(
  config: AdminConfig,
  { deadlines: { answerMs }, pool, log, now, closing }: RegistryDeps,
): Registry {
  const { PANELS: configured, ADMIN_ENCRYPTION_KEY: keys } = config;
  const registry = createRegistry({ configured, answerMs, pool, keys, now, log });
  const load = (): void => {
    registry.load().catch((error: unknown) => log.warn('servers could not be read', { error }));
  };
  load();
  const loading = setInterval(load, LOAD_EVERY_MS);
  closing.add('servers', () => clearInterval(loading));
  return registry;
}

async function isAnswering(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    return false;
  }
}
