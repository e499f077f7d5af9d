import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { loadConfig } from '@kopeck/runtime/config';
import { openDatabase } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import { migrate } from '@kopeck/runtime/migrate';
import { openPanel, type Logged, type Seen } from '@kopeck/sandbox/panel/panel';
import type { Subscriber } from '@kopeck/sandbox/panel/subscribers';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { createTestRedis } from '@kopeck/testing/test-database';
import { SELF_SIGNED } from './certificates.ts';
import type { DialectCase } from './dialects.ts';
import { adminConfig } from '../src/config.ts';
import { startAdmin, type Overrides } from '../src/start-admin.ts';
import { QUICK, SHORT } from './timing.ts';

export const KEY = 'current-admin-key-0123456789abcdefghij';
export const OLD_KEY = 'previous-admin-key-0123456789abcdefghi';
export const PANEL_TOKEN = 'panel-token-0123456789abcdefghijklmnop';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

export interface RunningAdmin {
  readonly url: string;
  readonly panelUrl: string;
  readonly pool: Pool;
  /** What a process of its own needs to be one more copy. */
  readonly env: Readonly<Record<string, string>>;
  readonly journalDir: string;
  /** What was handed to the log, before any redaction. */
  readonly lines: readonly string[];
  readonly refresh: (purchaseId: string, headers?: Record<string, string>) => Promise<Answer>;
  /** The links that are kept for a purchase, in the order in which they are served. */
  readonly links: (purchaseId: string) => Promise<readonly string[]>;
  readonly queued: () => Promise<readonly KopeckEvent[]>;
  /** Puts something onto the queue of events that no refresh has made. */
  readonly publish: (data: object) => Promise<void>;
  /** Empties the queues of bulks, as a Redis that was flushed would. */
  readonly forget: () => Promise<void>;
  /** Changes what a server of the panel says. */
  readonly subscribe: (subscriber: Subscriber) => Promise<void>;
  readonly fault: (server: string, fault: string, more?: object) => Promise<void>;
  readonly asked: () => Promise<readonly Seen[]>;
  /** Every request that any panel has seen. */
  readonly log: () => Promise<readonly Logged[]>;
  /** By server: how many requests were under way at once. */
  readonly most: () => Promise<Readonly<Record<string, number>>>;
  /** Ends the newest copy of the service, or starts one more on the same database and Redis. */
  readonly stopService: () => Promise<void>;
  readonly startService: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Places {
  readonly redisUrl: string;
  readonly databaseUrl: string;
}

/** The real service on free ports before a real database, Redis and panel; its deadlines are short. */
export async function runAdmin(
  { redisUrl, databaseUrl }: Places,
  env: Readonly<Record<string, string>> = {},
  { panels: dialects = [], ...overrides }: Overrides & { panels?: readonly DialectCase[] } = {},
): Promise<RunningAdmin> {
  const sandbox = createSandbox({
    doubles: [
      openPanel({
        token: PANEL_TOKEN,
        subscribers: dialects.map(({ subscriber }) => subscriber),
        servers: dialects.map(({ server }) => server),
      }),
    ],
    now: () => new Date(),
  });
  const origin = await sandbox.listen(0);
  const tlsOrigin = await sandbox.listenTls(SELF_SIGNED);
  const { url: redisAt, prefix } = createTestRedis(redisUrl);
  const journalDir = await mkdtemp(join(tmpdir(), 'kopeck-admin-'));
  const lines: string[] = [];
  await migrate(databaseUrl);
  const environment = {
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    ADMIN_METRICS_PORT: '0',
    ADMIN_API_KEY: `${KEY},${OLD_KEY}`,
    REDIS_URL: redisAt,
    QUEUES_REDIS_URL: redisAt,
    REDIS_PREFIX: prefix,
    JOURNAL_DIR: journalDir,
    HEARTBEAT_MINUTES: '0',
    DATABASE_URL: databaseUrl,
    PANELS: JSON.stringify({ ...panels(origin, tlsOrigin), ...panelsOf(dialects, origin) }),
    ...env,
  };
  const config = loadConfig(adminConfig, environment);
  const startService = () =>
    startAdmin(config, logTo(lines), {
      deadlines: SHORT,
      timing: QUICK,
      ...overrides,
    });
  const copies = [await startService()];
  const pool = openDatabase(databaseUrl);
  const redis = new Redis(redisAt, { maxRetriesPerRequest: null });
  const queue = new Queue<KopeckEvent>('events-admin', { connection: redis, prefix });
  const turn = async (knob: string, value: object): Promise<void> => {
    const response = await fetch(`${origin}/__sandbox/panel/${knob}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });
    if (!response.ok) throw new Error(await response.text());
  };

  return {
    get url() {
      return copies.at(-1)?.url ?? '';
    },
    stopService: async () => copies.pop()?.close(),
    startService: async () => void copies.push(await startService()),
    panelUrl: `${origin}/panel`,
    pool,
    env: environment,
    journalDir,
    lines,
    refresh: (id, headers = { authorization: `Bearer ${KEY}` }) =>
      post(`${copies.at(-1)?.url}/admin/update_configs/${id}`, headers),
    links: (id) => linksIn(pool, id),
    publish: async (data) => {
      await queue.add('config.refreshed', data as KopeckEvent);
    },
    queued: async () => (await queue.getJobs(['waiting'])).map(({ data }) => data),
    forget: async () => {
      await redis.del(...(await redis.keys(`${prefix}:admin-refresh-*`)));
    },
    subscribe: (subscriber) => turn('subscribers', subscriber),
    fault: (server, fault, more = {}) => turn('faults', { server, fault, ...more }),
    asked: async () => (await (await fetch(`${origin}/__sandbox/panel/requests`)).json()) as Seen[],
    most: async () =>
      (await (await fetch(`${origin}/__sandbox/panel/most`)).json()) as Record<string, number>,
    log: async () => (await (await fetch(`${origin}/__sandbox/panel/log`)).json()) as Logged[],
    close: async () => {
      for (const copy of copies) await copy.close();
      await queue.close();
      redis.disconnect();
      await pool.end();
      await sandbox.close();
      await rm(journalDir, { recursive: true });
    },
  };
}

function panelsOf(dialects: readonly DialectCase[], origin: string): object {
  return Object.fromEntries(dialects.map(({ server, config }) => [server.id, config(origin)]));
}

function panels(origin: string, tlsOrigin: string): object {
  const server = { kind: 'sandbox', url: `${origin}/panel`, token: PANEL_TOKEN, perSecond: 1_000 };
  const locked = { ...server, token: 'another-token' };
  const gone = { ...server, url: 'http://127.0.0.1:1/panel' };
  const untrusted = { ...server, url: `${tlsOrigin}/panel` };
  return { de1: server, nl2: server, fi3: server, locked, gone, untrusted };
}

async function post(url: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const body: unknown = isJson ? JSON.parse(text) : null;
  return { status: response.status, headers: response.headers, text, body };
}

async function linksIn(pool: Pool, id: string): Promise<readonly string[]> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT c.link FROM purchase_configs c JOIN purchase_servers s USING (purchase_id, server_id)
      WHERE c.purchase_id = ? ORDER BY s.position, c.position`,
    [id],
  );
  return rows.map((row) => String(row['link']));
}

function logTo(lines: string[]): Log {
  const write = (message: string, meta?: object): void => {
    lines.push(inspect([message, meta], { depth: 12 }));
  };
  return { error: write, warn: write, info: write, debug: write };
}
