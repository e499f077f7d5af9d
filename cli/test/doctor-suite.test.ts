import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { migrate } from '@kopeck/runtime/migrate';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { run as testAlert } from '../src/commands/test-alert.ts';
import { DATABASE_CHECKS } from '../src/doctor/database.ts';
import { examine } from '../src/doctor/examine.ts';
import { MAIL_CHECKS } from '../src/doctor/mail.ts';
import { REDIS_CHECKS } from '../src/doctor/redis.ts';
import { SERVICE_CHECKS } from '../src/doctor/services.ts';
import { SERVICES } from '../src/suite/services.ts';
import type { Check } from '../src/doctor/check.ts';
import { contextWith } from './context.ts';

// Every fault is planted in a real server, or in the way to it. None of the passwords may be shown.
const SECRET = 'hunter2hunter2hunter2';

let dir: string;
let database: TestDatabase;
let redis: PrivateRedis;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-doctor-'));
  [database, redis] = await Promise.all([
    createTestDatabase(inject('mariadbRootUrl')),
    startRedis({ dir, password: SECRET }),
  ]);
  await migrate(database.url);
});
afterAll(async () => {
  await Promise.all([database.drop(), redis.stop()]);
  await rm(dir, { recursive: true, force: true });
});

/** What is found, each with its cure. */
async function found(
  checks: readonly Check[],
  values: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const examined = await examine(checks, contextWith(values));
  expect(JSON.stringify(examined)).not.toContain(SECRET);
  return examined.map((finding) =>
    finding.severity === 'ok'
      ? `ok ${finding.what}`
      : `${finding.severity} ${finding.what} -> ${finding.cure}`,
  );
}

function withUrl(url: string, change: (url: URL) => void): string {
  const changed = new URL(url);
  change(changed);
  return changed.href;
}

test('a database of this release is in order', async () => {
  expect(await found(DATABASE_CHECKS, { DATABASE_URL: database.url })).toEqual([
    expect.stringMatching(/^ok MariaDB 1\d\./),
    expect.stringMatching(/^ok the tables are those of this release/),
  ]);
});

test.each([
  ['unreachable', (url: URL) => (url.port = '1'), /does not answer \(ECONNREFUSED\).*DB_HOST/],
  ['a wrong password', (url: URL) => (url.password = SECRET), /refuses the user.*MARIADB_/],
  ['no such database', (url: URL) => (url.pathname = '/kopeck_nowhere'), /not exist|not use/],
])('a database fault is seen: %s', async (_name, plant, expected) => {
  const url = withUrl(database.url, (each) => void plant(each));
  expect(await found(DATABASE_CHECKS, { DATABASE_URL: url })).toEqual([
    expect.stringMatching(expected),
  ]);
});

test('missing migrations are seen: all of them, or the last', async () => {
  const bare = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(bare.url);
  const connection = await createConnection(bare.url);
  await connection.query('DELETE FROM schema_migrations WHERE name LIKE "0003%"');
  expect((await found(DATABASE_CHECKS, { DATABASE_URL: bare.url }))[1]).toMatch(
    /^error 1 migrations are missing, the first is 0003.*kopeck up/,
  );
  await connection.query('DROP TABLE schema_migrations');
  expect((await found(DATABASE_CHECKS, { DATABASE_URL: bare.url }))[1]).toMatch(/migrations are/);
  await connection.end();
  await bare.drop();
});

test('a Redis that is safe, bounded and has users is in order; one password for all is told', async () => {
  const admin = new Redis(redis.url);
  await admin.config('SET', 'maxmemory', '100mb');
  await admin.call('ACL', 'SETUSER', 'cli', 'on', `>${SECRET}`, '~*', '+@all');
  expect(await found(REDIS_CHECKS, { REDIS_URL: redis.url })).toEqual([
    'ok Redis keeps every write, and evicts nothing',
    expect.stringMatching(/^ok Redis uses \d+ %/),
    expect.stringMatching(/^warn one password opens all.*users\.acl/),
  ]);
  const named = withUrl(redis.url, (url) => (url.username = 'cli'));
  expect((await found(REDIS_CHECKS, { REDIS_URL: named }))[2]).toBe(
    'ok Redis knows its users by name',
  );
  admin.disconnect();
});

test.each([
  ['appendonly', 'no', /appendonly is 'no'.*redis\.conf/],
  ['appendfsync', 'everysec', /appendfsync is 'everysec'.*redis\.conf/],
  ['maxmemory-policy', 'allkeys-lru', /maxmemory-policy is 'allkeys-lru'.*redis\.conf/],
])('a Redis that may forget is seen: %s %s', async (setting, value, expected) => {
  const admin = new Redis(redis.url);
  const [, before = ''] = await admin.config('GET', setting);
  await admin.config('SET', setting, value);
  expect((await found(REDIS_CHECKS, { REDIS_URL: redis.url }))[0]).toMatch(expected);
  await admin.config('SET', setting, before);
  admin.disconnect();
});

test('a Redis that is full, or has no bound, is seen', async () => {
  const admin = new Redis(redis.url);
  await admin.set('filler', 'x'.repeat(4_000_000));
  await admin.config('SET', 'maxmemory', '6mb');
  expect((await found(REDIS_CHECKS, { REDIS_URL: redis.url }))[1]).toMatch(
    /^error Redis is full to \d+ %.*logs ledger/,
  );
  await admin.config('SET', 'maxmemory', '0');
  expect((await found(REDIS_CHECKS, { REDIS_URL: redis.url }))[1]).toMatch(/^warn.*no maxmemory/);
  await admin.flushall();
  admin.disconnect();
});

test('a Redis that does not let us in, or do what we need, is seen', async () => {
  const admin = new Redis(redis.url);
  await admin.call('ACL', 'SETUSER', 'poor', 'on', `>${SECRET}`, '~*', '+info');
  const as = (change: (url: URL) => void): Promise<readonly string[]> =>
    found(REDIS_CHECKS, { REDIS_URL: withUrl(redis.url, change) });
  expect(await as((url) => (url.password = `${SECRET}-wrong`))).toEqual([
    expect.stringMatching(/^error Redis refuses the user or the password.*REDIS_/),
  ]);
  expect(await as((url) => (url.password = ''))).toEqual([
    expect.stringMatching(/^error Redis wants a password/),
  ]);
  expect((await as((url) => (url.username = 'poor')))[0]).toMatch(/allow \+config\|get|ACL/);
  expect(await as((url) => (url.port = '1'))).toEqual([
    expect.stringMatching(/^error Redis does not answer \(ECONNREFUSED\).*journals/),
  ]);
  admin.disconnect();
});

test('a mail server is tried, with its password', async () => {
  const server = new SMTPServer({
    authOptional: false,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, done) =>
      password === SECRET ? done(null, { user: 'me' }) : done(new Error('no')),
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as { port: number };
  const mail = (url: string): Promise<readonly string[]> =>
    found(MAIL_CHECKS, { SMTP_URL: url, ALERT_EMAIL: 'me@example.com' });
  expect(await mail(`smtp://me:${SECRET}@127.0.0.1:${port}`)).toEqual([
    'ok the mail server answers and lets us in',
  ]);
  expect((await mail(`smtp://me:${SECRET}x@127.0.0.1:${port}`))[0]).toMatch(
    /^error the mail server refuses.*SMTP_URL/,
  );
  expect((await mail(`smtp://me:${SECRET}@127.0.0.1:1`))[0]).toMatch(
    /^error the mail server cannot be reached \(ESOCKET\).*SMTP_URL/,
  );
  // Of this machine, and yet no address of a private network: the password would cross the internet in clear.
  expect((await mail(`smtp://me:${SECRET}@0.0.0.0:${port}`))[0]).toMatch(
    /^error the mail server offers no TLS.*smtps:.*requireTLS=false/,
  );
  expect(await found(MAIL_CHECKS, {})).toEqual([
    expect.stringMatching(/^warn nobody gets alerts: SMTP_URL and ALERT_EMAIL/),
  ]);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test('services that are away, a ledger that is behind and journals that grow are seen', async () => {
  const away = Object.fromEntries(
    ['SBP', 'CRYPTO', 'EPN', 'ADMIN', 'LEDGER', 'COURIER'].map((name) => [
      `${name}_METRICS_URL`,
      'http://127.0.0.1:1',
    ]),
  );
  const admin = new Redis(redis.url);
  const key = '{kopeck}:events-epn:wait';
  await admin.lpush(key, ...Array.from({ length: 1_200 }, (_, index) => String(index)));
  const findings = await found(SERVICE_CHECKS, { ...away, REDIS_URL: redis.url });
  expect(findings).toContainEqual(
    expect.stringMatching(/^error epn does not answer -> .*logs epn/),
  );
  expect(findings).toContainEqual(
    expect.stringMatching(
      /^error the ledger is behind: 1200 events wait in events-epn.*kopeck status/,
    ),
  );
  await admin.flushall();
  expect(await found(SERVICE_CHECKS, { ...away, REDIS_URL: redis.url })).toContain(
    'ok the ledger keeps up',
  );
  admin.disconnect();
});

test('a journal that grows, and one that is half full, are seen', async () => {
  let figures = '';
  const server = createServer((_request, response) => response.end(figures));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const urls = Object.fromEntries(
    SERVICES.map(({ name }) => [
      `${name.toUpperCase()}_METRICS_URL`,
      `http://127.0.0.1:${name === 'epn' ? port : 1}`,
    ]),
  );
  const journals = SERVICE_CHECKS.filter(({ name }) => name === 'journals');

  figures = 'kopeck_journal_waiting{service="epn"} 3\nkopeck_journal_bytes{service="epn"} 100';
  expect(await found(journals, urls)).toEqual(['ok the journals are forwarded']);
  figures = 'kopeck_journal_waiting{service="epn"} 5000\nkopeck_journal_bytes{service="epn"} 100';
  expect(await found(journals, urls)).toEqual([
    expect.stringMatching(/^warn the journal of epn grows: 5000.*JOURNAL_MAX_BYTES/),
  ]);
  figures = 'kopeck_journal_bytes{service="epn"} 70000';
  expect(await found(journals, { ...urls, JOURNAL_MAX_BYTES: '100000' })).toEqual([
    expect.stringMatching(/^error the journal of epn is 70 % full/),
  ]);
  server.close();
});

test('a trial alert is two reports to the courier; without a mail box it says what to set', async () => {
  const context = contextWith({ REDIS_URL: redis.url, SMTP_URL: 'smtp://x', ALERT_EMAIL: 'a@b.c' });
  expect(await testAlert([], context)).toBe(0);
  const admin = new Redis(redis.url);
  const jobs = await admin.keys('{kopeck}:incidents:?');
  const states = await Promise.all(jobs.toSorted().map((job) => admin.hget(job, 'data')));
  expect(states.map((data) => (JSON.parse(data ?? '{}') as { state?: string }).state)).toEqual([
    'open',
    'closed',
  ]);
  admin.disconnect();
  await expect(testAlert([], contextWith({ REDIS_URL: redis.url }))).rejects.toThrow('ALERT_EMAIL');
});
