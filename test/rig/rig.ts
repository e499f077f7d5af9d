import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { inject } from 'vitest';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { openAcquirer } from '@kopeck/sandbox/acquirer/acquirer';
import { createMailSink } from '@kopeck/sandbox/mail-sink';
import { openPanel } from '@kopeck/sandbox/panel/panel';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { freePort } from '@kopeck/testing/ports';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { seedPurchase } from '../../services/admin/src/seed.ts';
import { MAIL_PASSWORD, PANEL_TOKEN, REDIS_PASSWORD, SECRETS } from './secrets.ts';
import { startProcess, type ServiceProcess } from './service-process.ts';

export const NAMES = ['sbp', 'crypto', 'epn', 'admin', 'ledger', 'courier'] as const;
export type Name = (typeof NAMES)[number];

/** Kopeck as it runs in earnest: one process a service, a MariaDB and a Redis that a test may harm. */
export interface Rig {
  readonly url: Readonly<Record<Name, string>>;
  /** What every service is started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Of /metrics and /ready. */
  readonly metricsUrl: Readonly<Record<Name, string>>;
  readonly sandboxUrl: string;
  readonly mariadb: PrivateMariadb;
  readonly redis: PrivateRedis;
  readonly databaseUrl: string;
  /** A folder a service. */
  readonly journalDir: string;
  /** An empty folder that goes with the rig. */
  readonly spareDir: string;
  /** Every mail that was sent, as it went over the wire. */
  readonly mails: () => Promise<readonly string[]>;
  /** The processes of today; a killed one is replaced by start(). */
  readonly processes: Map<string, ServiceProcess>;
  /** A second copy has a name of its own, and is given its ports by env. */
  readonly start: (
    name: Name,
    env?: Readonly<Record<string, string>>,
    copy?: string,
  ) => Promise<void>;
  /** SIGTERM. */
  readonly stop: (copy: string) => Promise<void>;
  /** SIGKILL. */
  readonly kill: (copy: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Without the courier unless a test is about mail: it has nothing to do with the books. */
const WITHOUT_MAIL = NAMES.filter((name) => name !== 'courier');

export async function startRig(
  names: readonly Name[] = WITHOUT_MAIL,
  /** For every service, over what the rig has for all. */
  extra: Readonly<Record<string, string>> = {},
  /** Made by createMariadbTemplate; a test run has one. */
  template: string = inject('mariadbTemplate'),
): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-rig-'));
  const [mariadb, redis] = await Promise.all([
    startMariadb({ dir: join(dir, 'mariadb'), template }),
    startRedis({ dir: join(dir, 'redis'), password: REDIS_PASSWORD }),
  ]);
  const databaseUrl = await createDatabase(mariadb);
  const ports = await freePorts(NAMES.length * 2);
  const portOf = (name: Name): number => ports[NAMES.indexOf(name)] ?? 0;
  const metricsPortOf = (name: Name): number => ports[NAMES.length + NAMES.indexOf(name)] ?? 0;
  const url = Object.fromEntries(NAMES.map((name) => [name, `http://127.0.0.1:${portOf(name)}`]));
  const metricsUrl = Object.fromEntries(
    NAMES.map((name) => [name, `http://127.0.0.1:${metricsPortOf(name)}`]),
  );
  const sandbox = openSandbox(`${url['sbp']}/webhook/sbp/raiffeisen`);
  const sandboxUrl = await sandbox.listen(0);
  const mailDir = join(dir, 'mail');
  const mailSink = createMailSink({ dir: mailDir, now: () => new Date() });
  const smtpUrl = await mailSink.listen(0);

  const common = {
    ...SECRETS,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(dir, 'compile-cache'),
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    QUEUES_REDIS_URL: redis.url,
    LEDGER_URL: url['ledger'] ?? '',
    RAIFFEISEN_URL: `${sandboxUrl}/raiffeisen/api`,
    PANELS: JSON.stringify({
      de1: { kind: 'sandbox', url: `${sandboxUrl}/panel`, token: PANEL_TOKEN },
    }),
    SMTP_URL: withLogin(smtpUrl),
    ...extra,
  };
  const processes = new Map<string, ServiceProcess>();
  const start: Rig['start'] = async (name, env = {}, copy = name) => {
    const upper = name.toUpperCase();
    const own = {
      [`${upper}_PORT`]: String(portOf(name)),
      [`${upper}_METRICS_PORT`]: String(metricsPortOf(name)),
      JOURNAL_DIR: join(dir, 'journal', name),
    };
    processes.set(copy, await startProcess(name, { ...own, ...common, ...env }));
  };
  await Promise.all(names.map((name) => start(name)));

  const close = async (): Promise<void> => {
    await Promise.all([...processes.values()].map((each) => each.stop()));
    await Promise.all([sandbox.close(), mailSink.close(), redis.stop(), mariadb.stop()]);
    await rm(dir, { recursive: true, force: true });
  };
  return {
    url: url as Rig['url'],
    env: common,
    metricsUrl: metricsUrl as Rig['metricsUrl'],
    sandboxUrl,
    mariadb,
    redis,
    databaseUrl,
    journalDir: join(dir, 'journal'),
    spareDir: join(dir, 'spare'),
    mails: () => readMails(mailDir),
    processes,
    start,
    stop: async (copy) => processes.get(copy)?.stop(),
    kill: async (copy) => processes.get(copy)?.kill(),
    close,
  };
}

async function createDatabase({ rootUrl }: PrivateMariadb): Promise<string> {
  const connection = await createConnection(rootUrl);
  await connection.query('CREATE DATABASE kopeck');
  await connection.end();
  const url = `${rootUrl}kopeck`;
  await migrate(url);
  const pool = openDatabase(url, { connections: 1 });
  await seedPurchase(pool, { id: '1', servers: [{ serverId: 'de1', externalId: 'buyer-1' }] });
  await pool.end();
  return url;
}

/** They are named for their time and number. */
const byName = (a: string, b: string): number => (a < b ? -1 : 1);

async function readMails(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => []);
  return Promise.all(names.toSorted(byName).map((name) => readFile(join(dir, name), 'utf8')));
}

function openSandbox(callbackUrl: string): Sandbox {
  const bank = {
    secretKey: SECRETS.RAIFFEISEN_SECRET_KEY,
    sbpMerchantId: SECRETS.RAIFFEISEN_SBP_MERCHANT_ID,
    merchantId: '1780000001',
  };
  const links = [
    'vless://5b1f6e2a-7c0d-4f3b-9a41-2d9c8e70b615@de1.vpn-fixture.test:443?type=tcp#DE-1',
  ];
  const panel = {
    token: PANEL_TOKEN,
    subscribers: [{ server: 'de1', externalId: 'buyer-1', links }],
  };
  return createSandbox({
    doubles: [openAcquirer({ ...bank, callbackUrl }), openPanel(panel)],
    now: () => new Date(),
  });
}

/** Who takes every mail takes every login, too. */
function withLogin(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  url.username = 'kopeck';
  url.password = MAIL_PASSWORD;
  return url.href;
}

async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}
