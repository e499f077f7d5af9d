import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writePrivateEnv } from '../src/suite/env-file.ts';
import { serviceEnvironment } from '../src/suite/published.ts';
import { keepSecrets } from '../src/suite/secrets.ts';
import { checkEnvironments, SERVICES, type Service } from '../src/suite/services.ts';
import { PORTS, readSettings, ROOT } from '../src/suite/settings.ts';
import { valuesOf } from '../src/suite/values.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-settings-'));
});
afterEach(() => rm(dir, { recursive: true }));

const NO_FILE = '/nonexistent/.env';

/** The environment that each service would get. */
function environments(given: Record<string, string>): ReadonlyMap<string, Record<string, string>> {
  const settings = readSettings({ KOPECK_HOME: dir, ...given }, NO_FILE);
  const secrets = keepSecrets(dir);
  const { values } = valuesOf(settings, secrets);
  const machine = { PATH: '/bin', ...given };
  return new Map(
    SERVICES.map((service) => [
      service.name,
      serviceEnvironment(service, { settings, secrets, values, machine }),
    ]),
  );
}

test('everything is in .local, unless KOPECK_HOME says otherwise', () => {
  expect(readSettings({}, NO_FILE).home).toBe(join(ROOT, '.local'));
  expect(readSettings({ KOPECK_HOME: '/var/k' }, NO_FILE).home).toBe('/var/k');
  const relative = { KOPECK_HOME: 'mine', INIT_CWD: '/srv/shop' };
  expect(readSettings(relative, NO_FILE).home).toBe('/srv/shop/mine');
});

test('KOPECK_PORT_OFFSET moves every port, also one that was chosen', () => {
  const { ports } = readSettings({ KOPECK_PORT_OFFSET: '100', SBP_PORT: '5500' }, NO_FILE);
  const moved = Object.entries(PORTS).map(([key, port]) => [key, port + 100]);
  expect(ports).toEqual({ ...Object.fromEntries(moved), SBP_PORT: 5600 });
});

test.for([
  [{ KOPECK_PORT_OFFSET: 'ten' }, 'KOPECK_PORT_OFFSET'],
  [{ KOPECK_PORT_OFFSET: '60000' }, 'SBP_PORT with KOPECK_PORT_OFFSET is 65000'],
  [{ SBP_PORT: '8000' }, 'CRYPTO_PORT and SBP_PORT are both 8000'],
] as const)('%j is refused, and the message names the key', ([given, message]) => {
  if (message.includes('65000')) return expect(() => readSettings(given, NO_FILE)).toThrow(/_PORT/);
  expect(() => readSettings(given, NO_FILE)).toThrow(message);
});

test('.env is read, and the environment wins over it', async () => {
  const file = join(dir, '.env');
  await writeFile(file, 'KOPECK_PORT_OFFSET=200\nLOG_LEVEL=debug\nSBP_PORT=5001\n');
  const { ports, given } = readSettings({ SBP_PORT: '5002', LOG_LEVEL: '' }, file);
  expect(ports).toMatchObject({ SBP_PORT: 5202, REDIS_PORT: 16_579 });
  expect(given['LOG_LEVEL']).toBe('debug');
});

test('each service is given its own secrets and no others', () => {
  const all = environments({});
  const secrets = keepSecrets(dir);
  const holders = (secret: string): readonly string[] =>
    [...all].filter(([, env]) => JSON.stringify(env).includes(secret)).map(([name]) => name);

  expect(holders(secrets.WEBHOOK_API_TOKEN)).toEqual(['sbp']);
  expect(holders(secrets.RAIFFEISEN_SECRET_KEY)).toEqual(['sbp']);
  expect(holders(secrets.CRYPTOBOT_TOKEN)).toEqual(['crypto']);
  expect(holders(secrets.EPN_SECRET_TOKEN)).toEqual(['epn']);
  expect(holders(secrets.ADMIN_API_KEY)).toEqual(['admin']);
  expect(holders(secrets.MARIADB_SBP_PASSWORD)).toEqual(['sbp']);
  expect(holders(secrets.MARIADB_LEDGER_PASSWORD)).toEqual(['ledger']);
  expect(holders(secrets.MARIADB_ROOT_PASSWORD)).toEqual([]);
  expect(all.get('crypto')).not.toHaveProperty('DATABASE_URL');
  expect(all.get('epn')).not.toHaveProperty('DATABASE_URL');
});

test('a key of a service may be set, as it is or by a file', async () => {
  const file = join(dir, 'token');
  const token = 'a-token-from-a-file-of-32-characters';
  await writeFile(file, `${token}\n`);
  const all = environments({ EPN_SECRET_TOKEN_FILE: file, NDN_PER_STAR: '12' });
  expect(all.get('epn')).toMatchObject({ EPN_SECRET_TOKEN: token });
  expect(all.get('ledger')).toMatchObject({ NDN_PER_STAR: '12' });
  expect(all.get('crypto')).toMatchObject({ NDN_PER_STAR: '12' });
  expect(() => environments({ EPN_SECRET_TOKEN_FILE: '/nonexistent' })).toThrow(/EPN_SECRET_TOKEN/);
});

test('a stray DATABASE_URL or HOST of the machine reaches nobody', () => {
  const stray = { DATABASE_URL: 'mysql://root@elsewhere/shop', HOST: 'a-machine', FOO: 'bar' };
  for (const env of environments(stray).values()) {
    expect(env['HOST']).toBe('127.0.0.1');
    expect(JSON.stringify(env)).not.toMatch(/elsewhere|FOO/);
  }
});

test('all mistakes of all services are said at once, and no value', () => {
  const all = environments({
    WEBHOOK_API_TOKEN: 'short-one',
    NDN_PER_STAR: '-3',
    LOG_LEVEL: 'loud',
  });
  const check = (): void => checkEnvironments((service: Service) => all.get(service.name) ?? {});
  expect(check).toThrow(/WEBHOOK_API_TOKEN: .*32/);
  expect(check).toThrow(/NDN_PER_STAR: /);
  expect(check).toThrow(/LOG_LEVEL: error, warn, info or debug/);
  expect(check).not.toThrow(/short-one|loud/);
});

test('secrets are made once, and are for their owner only', async () => {
  const first = keepSecrets(dir);
  expect(keepSecrets(dir)).toEqual(first);
  expect((await stat(join(dir, 'secrets.env'))).mode & 0o777).toBe(0o600);
  expect(new Set(Object.values(first)).size).toBe(Object.keys(first).length);
  expect(first.CRYPTOBOT_TOKEN).toMatch(/^\d{6}:[A-Za-z0-9]{35}$/);
});

test('what is written for a shell is read back by a shell and by Node, whatever stands in it', () => {
  const file = join(dir, 'a.env');
  const values = {
    PLAIN: 'a-b.c:/@%+,=',
    JSON: '{"a":"b c"}',
    DOLLAR: '$HOME `id` \\ !',
    EMPTY: '',
  };
  writePrivateEnv(file, { ...values, QUOTE: "it's" });
  const script = `. "${file}"; printf '%s\\n' "$PLAIN" "$JSON" "$DOLLAR" "$EMPTY" "$QUOTE"`;
  const lines = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n');
  expect(lines.slice(0, 5)).toEqual([...Object.values(values), "it's"]);
  expect(parseEnv(readFileSync(file, 'utf8'))).toMatchObject(values);
});
