import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { openIncidents } from '@kopeck/runtime/incidents';
import type { IncidentReporter } from '@kopeck/runtime/incidents';
import { noLog } from '@kopeck/runtime/log';
import { openRedis } from '@kopeck/runtime/redis';
import { startRedis } from '@kopeck/testing/private-redis';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import type { Courier } from '../src/serve.ts';
import { startMailServer, startTestCourier } from './harness.ts';
import type { MailServer } from './harness.ts';

let mail: MailServer;
let prefix: string;
let closing: (() => unknown)[] = [];

beforeEach(async () => {
  mail = await startMailServer();
  prefix = createTestRedis('').prefix;
  closing = [mail.close];
});

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
});

function reporterOf(instance: string, url = inject('redisUrl')): IncidentReporter {
  const redis: Redis = openRedis(url, noLog);
  closing.push(() => redis.disconnect());
  const reporter = openIncidents({
    service: 'epn',
    instance,
    redis,
    prefix,
    log: noLog,
    now: () => new Date(),
  });
  closing.push(reporter.stop);
  return reporter;
}

async function courierOf(url = inject('redisUrl')): Promise<Courier> {
  const courier = await startTestCourier({
    DATABASE_URL: inject('mariadbRootUrl'),
    REDIS_URL: url,
    REDIS_PREFIX: prefix,
    SMTP_URL: mail.url,
    ALERT_EMAIL: 'operator@example.com',
    COURIER_GRACE_MS: 60_000,
  });
  closing.push(courier.close);
  return courier;
}

const subjects = (): readonly string[] =>
  mail.received.map(({ subject }) => subject.replace(/ \(.*/, ''));

test('mails what a service reports, once when it opens and once when it is over', async () => {
  await courierOf();
  const epn = reporterOf('journal-1');
  epn.open('journal-half-full', { bytes: 600, cap: 1000 });
  epn.open('journal-half-full', { bytes: 700, cap: 1000 });
  await waitFor(() => mail.received.length === 1);
  epn.close('journal-half-full');
  epn.close('journal-half-full');
  await waitFor(() => mail.received.length === 2);

  expect(subjects()).toEqual([
    '[kopeck] OPEN: a journal is more than half full',
    '[kopeck] OVER: a journal is more than half full',
  ]);
  expect(mail.received[0]?.text).toContain('  service: epn\n  bytes: 600\n  cap: 1000\n');
});

test('a copy that is well does not close what another copy has opened', async () => {
  await courierOf();
  reporterOf('journal-1').open('journal-half-full', {});
  await waitFor(() => mail.received.length === 1);
  const other = reporterOf('journal-2');
  other.close('journal-half-full');
  other.open('journal-unavailable', {});
  await waitFor(() => mail.received.length === 2);
  expect(subjects()[1]).toBe('[kopeck] OPEN: a receiver cannot write its journal');
});

test('a service that died with an open incident closes it in its next life', async () => {
  await courierOf();
  const first = reporterOf('journal-1');
  first.open('journal-half-full', {});
  await waitFor(() => mail.received.length === 1);
  await first.stop();
  reporterOf('journal-1').close('journal-half-full');
  await waitFor(() => mail.received.length === 2);
  expect(subjects()[1]).toContain('OVER');
});

test('what is said of one thing is over when any copy has seen its end', async () => {
  await courierOf();
  reporterOf('journal-1').open('sbp-refund-failed:0a1b2c3d', { refund: '1' });
  await waitFor(() => mail.received.length === 1);
  reporterOf('journal-2').close('sbp-refund-failed:0a1b2c3d');
  await waitFor(() => mail.received.length === 2);
  expect(subjects()).toEqual([
    '[kopeck] OPEN: a refund has failed',
    '[kopeck] OVER: a refund has failed',
  ]);
});

test('reporting neither blocks nor throws while Redis is away, and arrives when it is back', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-reports-'));
  const redis = await startRedis({ dir, password: 'hunter2hunter2' });
  closing.push(
    () => rm(dir, { recursive: true }),
    () => redis.stop(),
  );
  await courierOf(redis.url);
  const epn = reporterOf('journal-1', redis.url);
  await redis.kill();
  epn.open('journal-half-full', {});
  epn.close('journal-half-full');
  epn.open('journal-unavailable', {});
  await redis.restart();
  await waitFor(() => mail.received.length === 1);
  expect(subjects()).toEqual(['[kopeck] OPEN: a receiver cannot write its journal']);
});

test('brings the opening mail and the closing mail late, when the mail server was away', async () => {
  mail.refuse(2);
  await courierOf();
  const epn = reporterOf('journal-1');
  epn.open('journal-half-full', {});
  epn.close('journal-half-full');
  epn.open('journal-half-full', {});
  await waitFor(() => mail.received.length === 1);
  epn.close('journal-half-full');
  await waitFor(() => mail.received.length === 2);
  expect(subjects()).toEqual([
    '[kopeck] OPEN: a journal is more than half full',
    '[kopeck] OVER: a journal is more than half full',
  ]);
  expect(mail.offered()).toBe(4);
});
