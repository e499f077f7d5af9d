import { readFile, readdir } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { compose, inspect, OURS, SERVICES, stackUnderTest } from './stack.ts';

interface Service {
  readonly image: string;
  readonly user: string;
  readonly read_only?: boolean;
  readonly init?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly restart: string;
  readonly stop_grace_period?: string;
  readonly healthcheck?: object;
  readonly logging: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly network_mode?: string;
  readonly pid?: string;
  readonly ports?: readonly object[];
  readonly volumes?: readonly {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly read_only?: boolean;
  }[];
  readonly environment?: Readonly<Record<string, string | null>>;
}

interface Configuration {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const stack = stackUnderTest();
/** Run once, or when the operator asks. */
const ONE_SHOT = ['volumes', 'migrate', 'cli'];
let all: Configuration;

beforeAll(async () => {
  const profiles = ['--profile', 'bundled-db', '--profile', 'cli'];
  all = JSON.parse(
    await compose(stack, ...profiles, 'config', '--format', 'json'),
  ) as Configuration;
});

const EVERY = [...SERVICES, ...ONE_SHOT];

test('these are all the services there are', () => {
  expect(Object.keys(all.services).sort()).toEqual([...EVERY].sort());
});

test.for(EVERY)('%s may do nothing that it need not', (name) => {
  const service = all.services[name];
  expect(service).toMatchObject({ read_only: true, init: true, cap_drop: ['ALL'] });
  expect(service?.security_opt).toEqual(['no-new-privileges:true']);
  expect(service?.user).toMatch(/^(1000:1000|999:999)$/);
  for (const key of ['cap_add', 'privileged', 'pid', 'devices', 'ipc', 'env_file'])
    expect(service).not.toHaveProperty(key);
  expect(JSON.stringify(service?.volumes ?? [])).not.toContain('docker.sock');
});

test.for(EVERY)('%s has an end to its memory, its processes and its log', (name) => {
  const { mem_limit: memory, pids_limit: pids, logging } = all.services[name] ?? {};
  expect(Number(memory)).toBeGreaterThan(64 * 2 ** 20);
  expect(Number(memory)).toBeLessThanOrEqual(512 * 2 ** 20);
  expect(pids).toBeLessThanOrEqual(200);
  expect(logging).toEqual({ driver: 'local', options: { 'max-size': '10m', 'max-file': '5' } });
});

test.for(SERVICES)('%s is looked at, started again, and given time to end', (name) => {
  const { healthcheck, restart, stop_grace_period: grace } = all.services[name] ?? {};
  expect(healthcheck).toBeDefined();
  expect(restart).toBe('unless-stopped');
  expect(grace).toBeDefined();
});

test('Traefik alone has ports, and only it stands on the public network', () => {
  for (const [name, { ports, networks = {}, network_mode: mode }] of Object.entries(all.services)) {
    const isTraefik = name === 'traefik';
    expect(ports?.length ?? 0, name).toBe(isTraefik ? 2 : 0);
    expect('public' in networks, name).toBe(isTraefik);
    expect(['none', undefined], name).toContain(mode);
  }
});

test('the databases cannot be reached but by those who use them, and reach nobody', () => {
  const on = (network: string): readonly string[] =>
    Object.keys(all.services).filter((name) => network in (all.services[name]?.networks ?? {}));
  for (const network of ['edge', 'queue', 'database'])
    expect(all.networks[network]?.internal).toBe(true);
  expect(on('database').toSorted()).toEqual(
    ['admin', 'cli', 'courier', 'ledger', 'mariadb', 'migrate', 'sbp'].toSorted(),
  );
  expect(on('egress').toSorted()).toEqual(['admin', 'cli', 'courier', 'crypto', 'epn', 'sbp']);
  for (const name of ['redis', 'mariadb']) {
    expect(Object.keys(all.services[name]?.networks ?? {})).toHaveLength(1);
  }
});

test('what is mounted from this host can be read, and no more', () => {
  for (const [name, { volumes = [] }] of Object.entries(all.services)) {
    for (const { type, source, read_only: isReadOnly } of volumes)
      if (type === 'bind') expect(isReadOnly, `${name} ${source}`).toBe(true);
  }
});

test('each receiver has a journal of its own on a volume, and nobody else sees it', () => {
  const journals = Object.entries(all.services).flatMap(([name, { volumes = [] }]) =>
    volumes
      .filter(({ source }) => source.startsWith('journal-'))
      .map(({ source }) => `${name} has ${source}`),
  );
  const receivers = ['admin', 'crypto', 'epn', 'sbp'];
  expect(journals.sort()).toEqual(receivers.map((name) => `${name} has journal-${name}`));
});

/** Who is given what. `cli` is the operator, who may ask everybody; the rest of .env is not secret. */
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  MARIADB_ROOT_PASSWORD: ['mariadb', 'migrate'],
  MARIADB_MIGRATE_PASSWORD: ['migrate'],
  MARIADB_SBP_PASSWORD: ['migrate', 'sbp'],
  MARIADB_ADMIN_PASSWORD: ['admin', 'migrate'],
  MARIADB_LEDGER_PASSWORD: ['ledger', 'migrate'],
  MARIADB_COURIER_PASSWORD: ['courier', 'migrate'],
  REDIS_SBP_PASSWORD: ['redis', 'sbp'],
  REDIS_CRYPTO_PASSWORD: ['crypto', 'redis'],
  REDIS_EPN_PASSWORD: ['epn', 'redis'],
  REDIS_ADMIN_PASSWORD: ['admin', 'redis'],
  REDIS_LEDGER_PASSWORD: ['ledger', 'redis'],
  REDIS_COURIER_PASSWORD: ['courier', 'redis'],
  REDIS_CLI_PASSWORD: ['redis'],
  WEBHOOK_API_TOKEN: ['sbp'],
  RAIFFEISEN_SECRET_KEY: ['sbp'],
  CRYPTOBOT_TOKEN: ['crypto'],
  CRYPTOBOT_TESTNET_TOKEN: ['crypto'],
  CRYPTO_API_TOKEN: ['crypto'],
  TELEGRAM_BOT_TOKEN: ['courier', 'crypto'],
  TELEGRAM_WEBHOOK_SECRET: ['crypto'],
  EPN_SECRET_TOKEN: ['epn'],
  ADMIN_API_KEY: ['admin'],
  ADMIN_ENCRYPTION_KEY: ['admin'],
  LEDGER_API_TOKEN: ['ledger'],
  LEDGER_USER_API_TOKEN: ['crypto', 'ledger'],
  PANELS: ['admin'],
};

test.for(Object.entries(SECRETS))('%s is given to nobody else', ([key, owners]) => {
  const value = stack.values[key] ?? '';
  expect(value.length).toBeGreaterThan(10);
  const holders = Object.entries(all.services).filter(([, { environment = {} }]) =>
    Object.values(environment).some((given) => given?.includes(value)),
  );
  const names = holders.map(([name]) => name).filter((name) => name !== 'cli');
  expect(names.sort()).toEqual(owners);
});

test('images are pinned, and Traefik is one without the known holes', () => {
  const image = (name: string): string => all.services[name]?.image ?? '';
  expect(image('redis')).toMatch(/^redis:8\.\d+\.\d+/);
  expect(image('mariadb')).toMatch(/^mariadb:11\.8\.\d+/);
  const [, minor, patch] = /^traefik:v3\.(\d+)\.(\d+)/.exec(image('traefik')) ?? [];
  expect(Number(minor) * 1_000 + Number(patch)).toBeGreaterThanOrEqual(7_013);
  expect(new Set(OURS.map(image)).size).toBe(1);
});

test.for(SERVICES)(
  'the processes of %s run as nobody, without a single capability',
  async (name) => {
    const { State } = await inspect(stack, name);
    const pids = await descendants(State.Pid);
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      expect(status).toMatch(/^CapEff:\t0{16}$/m);
      expect(status).toMatch(/^CapBnd:\t0{16}$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^Uid:\t(1000|999)\t/m);
      expect(status).toMatch(/^Seccomp:\t2$/m);
    }
  },
);

/** The process, and its children at this moment. */
async function descendants(pid: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(
    pids.map(async (each) => {
      const stat = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    }),
  );
  return [pid, ...pids.filter((_each, index) => parents[index] === pid)];
}
