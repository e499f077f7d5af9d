import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import type { PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import type { PrivateRedis } from '@kopeck/testing/private-redis';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import type { CourierConfig } from '../src/config.ts';
import type { Courier } from '../src/serve.ts';
import { probed, startMailServer, startTestCourier } from './harness.ts';
import type { MailServer, Received } from './harness.ts';

/** Longer than a machine with much to do keeps a server from answering. */
const GRACE_MS = 700;
/** So many looks take longer than that. */
const PAST_GRACE = 10;

let dir: string;
let mariadb: PrivateMariadb;
let redis: PrivateRedis;
let mail: MailServer;
let couriers: Courier[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-courier-'));
  [mariadb, redis] = await Promise.all([
    startMariadb({ dir: join(dir, 'mariadb'), template: inject('mariadbTemplate') }),
    startRedis({ dir: join(dir, 'redis'), password: 'hunter2hunter2' }),
  ]);
});

afterAll(async () => {
  await Promise.all([mariadb.stop(), redis.stop()]);
  await rm(dir, { recursive: true });
});

beforeEach(async () => {
  mail = await startMailServer();
});

afterEach(async () => {
  await Promise.all(couriers.map((courier) => courier.close()));
  couriers = [];
  await mail.close();
});

async function courierOf(prefix: string, config: Partial<CourierConfig> = {}): Promise<Courier> {
  const courier = await startTestCourier({
    DATABASE_URL: mariadb.rootUrl,
    REDIS_URL: redis.url,
    REDIS_PREFIX: prefix,
    SMTP_URL: mail.url,
    ALERT_EMAIL: 'operator@example.com',
    COURIER_GRACE_MS: GRACE_MS,
    ...config,
  });
  couriers.push(courier);
  return courier;
}

/** A slow machine may have its say about another server, too: the grace period of a test is short. */
const about = (server: 'MariaDB' | 'Redis'): readonly Received[] =>
  mail.received.filter(({ subject }) => subject.includes(server));

const subjects = (server: 'MariaDB' | 'Redis'): readonly string[] =>
  about(server).map(({ subject }) => subject);

function told(server: 'MariaDB' | 'Redis', mails: 1 | 2): Promise<unknown> {
  const what = mails === 1 ? 'the opening mail' : 'the closing mail';
  return waitFor(() => about(server).length >= mails, { what, timeoutMs: 30_000 });
}

test('mails once that MariaDB is down and once that it is up again', async () => {
  const courier = await courierOf(createTestRedis('').prefix);
  await probed(courier, 2);

  await mariadb.kill();
  await told('MariaDB', 1);
  await probed(courier, PAST_GRACE);
  await mariadb.restart();
  await told('MariaDB', 2);
  await probed(courier, PAST_GRACE);

  expect(subjects('MariaDB')).toEqual([
    "[kopeck] OPEN: the ledger's database (MariaDB) is down",
    expect.stringMatching(/^\[kopeck\] OVER: the ledger's database \(MariaDB\) is down \(\d+ s\)$/),
  ]);
  expect(about('MariaDB')[0]).toMatchObject({
    to: ['operator@example.com'],
    text: expect.stringMatching(/Nothing is lost[^]*code: ECONNREFUSED/),
  });
  expect(JSON.stringify(mail.received)).not.toContain(new URL(mariadb.rootUrl).password);
});

test('takes a MariaDB that accepts connections and answers nothing for down', async () => {
  await courierOf(createTestRedis('').prefix);
  await mariadb.pause();
  try {
    await told('MariaDB', 1);
  } finally {
    mariadb.resume();
  }
  await told('MariaDB', 2);
  expect(subjects('MariaDB')[1]).toContain('OVER');
});

test('does not mail an outage again after a restart of its own, and still closes it', async () => {
  const { prefix } = createTestRedis('');
  const first = await courierOf(prefix);
  await mariadb.stop();
  await told('MariaDB', 1);
  await first.close();

  const second = await courierOf(prefix);
  await probed(second, PAST_GRACE);
  expect(about('MariaDB')).toHaveLength(1);

  await mariadb.restart();
  await told('MariaDB', 2);
  expect(subjects('MariaDB')[1]).toContain('OVER');
});

test('mails once that Redis is down and once that it is up again', async () => {
  const courier = await courierOf(createTestRedis('').prefix);
  await redis.kill();
  await told('Redis', 1);
  await redis.restart();
  await told('Redis', 2);
  await probed(courier, 2);
  expect(subjects('Redis')).toEqual([
    '[kopeck] OPEN: Redis is down',
    expect.stringContaining('[kopeck] OVER: Redis is down ('),
  ]);
});

test('says nothing of a blip that is shorter than the grace period', async () => {
  const courier = await courierOf(createTestRedis('').prefix, { COURIER_GRACE_MS: 60_000 });
  await mariadb.kill();
  await probed(courier, 2);
  await mariadb.restart();
  await probed(courier, 2);
  expect(about('MariaDB')).toEqual([]);
});

test('reminds of an outage that goes on, and closes it once', async () => {
  // A second and a half.
  await courierOf(createTestRedis('').prefix, { COURIER_REMINDER_HOURS: 1.5 / 3_600 });
  await mariadb.kill();
  await waitFor(() => about('MariaDB').length >= 3, { what: 'two reminders', timeoutMs: 30_000 });
  await mariadb.restart();
  await waitFor(() => subjects('MariaDB').some((subject) => subject.includes('OVER')), {
    what: 'the closing mail',
    timeoutMs: 30_000,
  });

  const [first = '', ...others] = subjects('MariaDB').map((subject) => subject.split(':')[0]);
  expect(first).toBe('[kopeck] OPEN');
  expect(others.pop()).toBe('[kopeck] OVER');
  expect(new Set(others)).toEqual(new Set(['[kopeck] STILL OPEN']));
});

test('what comes and goes four times is told as such, and its end is not told again', async () => {
  const courier = await courierOf(createTestRedis('').prefix);
  for (const time of [1, 2, 3]) {
    await mariadb.kill();
    await waitFor(() => about('MariaDB').length >= 2 * time - 1, { timeoutMs: 30_000 });
    await mariadb.restart();
    await waitFor(() => about('MariaDB').length >= 2 * time, { timeoutMs: 30_000 });
  }
  await mariadb.kill();
  await waitFor(() => about('MariaDB').length >= 7, { timeoutMs: 30_000 });
  await mariadb.restart();
  await probed(courier, PAST_GRACE);

  const states = subjects('MariaDB').map(
    (subject) => /OPEN|OVER|COMES AND GOES/.exec(subject)?.[0],
  );
  expect(states).toEqual(['OPEN', 'OVER', 'OPEN', 'OVER', 'OPEN', 'OVER', 'COMES AND GOES']);
});
