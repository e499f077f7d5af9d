import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { loadConfig } from '@kopeck/runtime/config';
import { openDatabase } from '@kopeck/runtime/database';
import { noLog } from '@kopeck/runtime/log';
import { migrate } from '@kopeck/runtime/migrate';
import { openPanel, type Logged } from '@kopeck/sandbox/panel/panel';
import type { PanelServer } from '@kopeck/sandbox/panel/servers';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import { waitFor } from '@kopeck/testing/wait-for';
import type { Progress } from '../services/admin/src/bulk/progress.ts';
import { adminConfig } from '../services/admin/src/config.ts';
import { importPurchases } from '../services/admin/src/purchases-api/store.ts';
import { startAdmin } from '../services/admin/src/start-admin.ts';
import { numberFrom } from '../test/rig/number-option.ts';
import { record } from './result.ts';

/**
 * A bulk refresh of 1,000 purchases on three panels, of which one hangs: how long it takes with the
 * deadlines of production, and how often each panel was logged in to. BENCH_PER_SECOND is what a panel
 * is asked at most (10 in production, where the panels are small machines).
 */
const PURCHASES = numberFrom('BENCH_PURCHASES', 1_000);
const PER_SECOND = numberFrom('BENCH_PER_SECOND', 200);
const BOUND_MS = 120_000;
const KEY = 'admin-key-of-the-bench-0123456789abcdef';
const LOGIN = { username: 'operator', password: 'password', token: 'token' };
const SERVERS: readonly PanelServer[] = [
  { id: 'xui', kind: '3x-ui', version: '3.6.0', ...LOGIN },
  { id: 'marzban', kind: 'marzban', version: '0.8.4', ...LOGIN },
  { id: 'hangs', kind: 'remnawave', version: '3.3.2', ...LOGIN },
];

const now = (): Date => new Date();
const dir = await mkdtemp(join(tmpdir(), 'kopeck-bench-'));
const [mariadb, redis] = await Promise.all([
  startMariadb({ dir: join(dir, 'mariadb') }),
  startRedis({ dir: join(dir, 'redis'), password: 'bench' }),
]);
const purchases = Array.from({ length: PURCHASES }, (_none, index) => ({
  server: SERVERS[index % SERVERS.length]?.id ?? '',
  externalId: `buyer-${index + 1}`,
  links: [`vless://${index + 1}@vpn-fixture.test:443?type=tcp#remark`],
}));
const double = openPanel({ token: 'unused', subscribers: purchases, servers: SERVERS });
const sandbox = createSandbox({ doubles: [double], now });
const origin = await sandbox.listen(0);
try {
  const url = await prepareDatabase();
  const admin = await start(url);
  try {
    await post(`${origin}/__sandbox/panel/faults`, { server: 'hangs', fault: 'hang' });
    report(await refreshAll(admin.url), await logins());
  } finally {
    await admin.close();
  }
} finally {
  await sandbox.close();
  await Promise.all([mariadb.stop(), redis.stop()]);
  await rm(dir, { recursive: true, force: true });
}

async function prepareDatabase(): Promise<string> {
  const connection = await createConnection(mariadb.rootUrl);
  await connection.query('CREATE DATABASE kopeck');
  await connection.end();
  const url = `${mariadb.rootUrl}kopeck`;
  await migrate(url);
  const pool = openDatabase(url);
  const inputs = purchases.map(({ server: serverId, externalId }) => ({
    isActive: true,
    servers: [{ serverId, externalId }],
  }));
  await importPurchases(pool, inputs);
  await pool.end();
  return url;
}

function start(databaseUrl: string): Promise<{ url: string; close: () => Promise<void> }> {
  const at = (id: string): object => ({ url: `${origin}/panel/${id}`, perSecond: PER_SECOND });
  const login = { username: LOGIN.username, password: LOGIN.password };
  const config = loadConfig(adminConfig, {
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    ADMIN_METRICS_PORT: '0',
    ADMIN_API_KEY: KEY,
    REDIS_URL: redis.url,
    JOURNAL_DIR: join(dir, 'journal'),
    DATABASE_URL: databaseUrl,
    PANELS: JSON.stringify({
      xui: { kind: '3x-ui', ...at('xui'), ...login },
      marzban: { kind: 'marzban', ...at('marzban'), ...login },
      hangs: { kind: 'remnawave', ...at('hangs'), token: LOGIN.token },
    }),
  });
  return startAdmin(config, noLog);
}

async function refreshAll(adminUrl: string): Promise<Progress> {
  const { jobId } = (await post(`${adminUrl}/admin/update_configs`)) as { jobId: string };
  const look = async (): Promise<Progress> => {
    const job = `${adminUrl}/admin/update_configs/jobs/${jobId}`;
    const response = await fetch(job, { headers: { authorization: `Bearer ${KEY}` } });
    return (await response.json()) as Progress;
  };
  return waitFor(
    async () => {
      const progress = await look();
      return progress.state !== 'running' && progress;
    },
    { timeoutMs: BOUND_MS, everyMs: 250, what: 'the bulk to finish' },
  );
}

async function post(url: string, body?: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return (await fetch(url, { method: 'POST', headers, ...init })).json();
}

async function logins(): Promise<Record<string, number>> {
  const log = (await (await fetch(`${origin}/__sandbox/panel/log`)).json()) as Logged[];
  const entered = log.filter(({ path }) => path === '/login' || path === '/api/admin/token');
  const byServer = Map.groupBy(entered, ({ server }) => server);
  return Object.fromEntries([...byServer].map(([server, all]) => [server, all.length]));
}

function report(progress: Progress, entered: Record<string, number>): void {
  const { total, ok, partial, failed, connectionErrors, startedAt, finishedAt } = progress;
  const ms = new Date(finishedAt ?? startedAt).getTime() - new Date(startedAt).getTime();
  const adds = ok + partial + failed + connectionErrors === total;
  const once = entered['xui'] === 1 && entered['marzban'] === 1;
  const reached = SERVERS.length - 1;
  const healthy = purchases.filter(({ server }) => server !== 'hangs').length;
  record({
    bench: 'refresh',
    what: `configs of ${total} purchases on three servers of which one hangs`,
    value: total / (ms / 1_000),
    unit: 'purchases/s',
    more: { 'all s': ms / 1_000 },
    baseline: { what: 'what a server may be asked/s', value: PER_SECOND },
  });
  console.log(`ok ${ok}  partial ${partial}  failed ${failed}  connection ${connectionErrors}`);
  console.log(`logins ${JSON.stringify(entered)}`);
  const isRight = adds && once && ok === healthy;
  console.log(isRight ? `the counters add up, one login each on ${reached} servers` : 'WRONG');
  if (!isRight) process.exitCode = 1;
}
