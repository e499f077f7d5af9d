import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { inject } from 'vitest';
import { migrate } from '@kopeck/runtime/migrate';
import { openAcquirer } from '@kopeck/sandbox/acquirer/acquirer';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { freePort } from '@kopeck/testing/ports';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { SECRETS } from './secrets.ts';
import { startProcess, type ServiceProcess } from './service-process.ts';

export const NAMES = ['sbp', 'crypto', 'epn', 'ledger'] as const;
export type Name = (typeof NAMES)[number];

/** Kopeck as it runs in earnest: one process a service, a MariaDB and a Redis that a test may harm. */
export interface Rig {
  readonly url: Readonly<Record<Name, string>>;
  readonly sandboxUrl: string;
  readonly mariadb: PrivateMariadb;
  readonly redis: PrivateRedis;
  readonly databaseUrl: string;
  /** The processes of today; a killed one is replaced by start(). */
  readonly processes: Map<Name, ServiceProcess>;
  readonly start: (name: Name, env?: Readonly<Record<string, string>>) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function startRig(names: readonly Name[] = NAMES): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-rig-'));
  const template = inject('mariadbTemplate');
  const [mariadb, redis] = await Promise.all([
    startMariadb({ dir: join(dir, 'mariadb'), template }),
    startRedis({ dir: join(dir, 'redis'), password: 'rig' }),
  ]);
  const databaseUrl = await createDatabase(mariadb);
  const ports = await freePorts(NAMES.length * 2);
  const portOf = (name: Name): number => ports[NAMES.indexOf(name)] ?? 0;
  const url = Object.fromEntries(NAMES.map((name) => [name, `http://127.0.0.1:${portOf(name)}`]));
  const sandbox = openSandbox(`${url['sbp']}/webhook/sbp/raiffeisen`);
  const sandboxUrl = await sandbox.listen(0);

  const processes = new Map<Name, ServiceProcess>();
  const start: Rig['start'] = async (name, env = {}) => {
    const upper = name.toUpperCase();
    const own = {
      [`${upper}_PORT`]: String(portOf(name)),
      [`${upper}_METRICS_PORT`]: String(ports[NAMES.length + NAMES.indexOf(name)]),
      JOURNAL_DIR: join(dir, 'journal', name),
      DATABASE_URL: databaseUrl,
      REDIS_URL: redis.url,
      RAIFFEISEN_URL: `${sandboxUrl}/raiffeisen/api`,
    };
    processes.set(name, await startProcess(name, { ...SECRETS, ...own, ...env }));
  };
  await Promise.all(names.map((name) => start(name)));

  const close = async (): Promise<void> => {
    await Promise.all([...processes.values()].map((each) => each.stop()));
    await Promise.all([sandbox.close(), redis.stop(), mariadb.stop()]);
    await rm(dir, { recursive: true, force: true });
  };
  return {
    url: url as Rig['url'],
    sandboxUrl,
    mariadb,
    redis,
    databaseUrl,
    processes,
    start,
    close,
  };
}

async function createDatabase({ rootUrl }: PrivateMariadb): Promise<string> {
  const connection = await createConnection(rootUrl);
  await connection.query('CREATE DATABASE kopeck');
  await connection.end();
  const url = `${rootUrl}kopeck`;
  await migrate(url);
  return url;
}

function openSandbox(callbackUrl: string): Sandbox {
  const bank = {
    secretKey: SECRETS.RAIFFEISEN_SECRET_KEY,
    sbpMerchantId: SECRETS.RAIFFEISEN_SBP_MERCHANT_ID,
    merchantId: '1780000001',
  };
  return createSandbox({
    doubles: [openAcquirer({ ...bank, callbackUrl })],
    now: () => new Date(),
  });
}

async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}
