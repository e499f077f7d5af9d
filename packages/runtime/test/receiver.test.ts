import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReceiverConfig } from '@kopeck/runtime/config';
import { createRouter, methods } from '@kopeck/runtime/http-app';
import type { IncidentReport } from '@kopeck/runtime/incidents';
import { intake } from '@kopeck/runtime/intake';
import { startReceiver, type Receiver } from '@kopeck/runtime/receiver';
import { UnsafeRedisError } from '@kopeck/runtime/redis';
import { freePort, isFree } from '@kopeck/testing/ports';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { ask, type Answer } from './http-client.ts';
import { recordingLog } from './recording-log.ts';
import { KEY, tinySource } from './tiny-source.ts';

const QUEUE = 'events-epn';

let dir: string;
let server: PrivateRedis;
let client: Redis;
let config: ReceiverConfig;
let closings: (() => Promise<unknown>)[];
let recording: ReturnType<typeof recordingLog>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-receiver-'));
  server = await startRedis({ dir: join(dir, 'redis'), password: 'p' });
  client = new Redis(server.url, { maxRetriesPerRequest: null });
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
  await rm(dir, { recursive: true });
});
beforeEach(async () => {
  closings = [];
  recording = recordingLog();
  config = {
    HOST: '127.0.0.1',
    TRUST_PROXY: 'loopback',
    LOG_LEVEL: 'info',
    REDIS_URL: server.url,
    REDIS_PREFIX: createTestRedis(server.url).prefix,
    REDIS_UNSAFE: false,
    JOURNAL_DIR: await mkdtemp(join(dir, 'journal-')),
    JOURNAL_MAX_BYTES: 2 ** 24,
    JOURNAL_KEEP_HOURS: 24,
    FORGED_PER_MINUTE: 30,
    FORGED_QUIET_MINUTES: 5,
  };
});
afterEach(async () => {
  for (const close of closings.toReversed()) await close();
});

async function start(
  changed: Partial<ReceiverConfig> = {},
  ports: { port?: number; metricsPort?: number } = {},
): Promise<Receiver> {
  const receiver = await startReceiver({
    name: 'epn',
    queue: QUEUE,
    config: { ...config, ...changed },
    port: ports.port ?? 0,
    metricsPort: ports.metricsPort ?? 0,
    log: recording.log,
    warnings: ['Svix is not configured'],
    ready: async () => ({ database: true }),
    routes: (deps) => {
      const router = createRouter();
      router.all('/hook', methods({ POST: intake(tinySource('body'), deps) }));
      return router;
    },
  });
  closings.push(receiver.close);
  return receiver;
}

function send({ url }: Receiver, body: string): Promise<Answer> {
  return ask(url, '/hook', { method: 'POST', headers: { key: KEY }, body });
}

async function readiness({ metricsUrl }: Receiver): Promise<unknown> {
  return JSON.parse((await ask(metricsUrl, '/ready')).body) as unknown;
}

function lookAt(name: string): Queue {
  const connection = { connection: client, prefix: config.REDIS_PREFIX };
  return new Queue(name, { ...connection, skipMetasUpdate: true });
}

async function subjectsIn(name: string): Promise<string[]> {
  const jobs = await lookAt(name).getJobs(['waiting'], 0, -1, true);
  return jobs.map(({ data }) => (data as { subject: string }).subject);
}

/** Every report so far, as 'kind state'. */
async function reports(): Promise<string[]> {
  const jobs = await lookAt('incidents').getJobs(['waiting'], 0, -1, true);
  return jobs
    .map(({ data }) => data as IncidentReport)
    .map(({ kind, state }) => `${kind} ${state}`);
}

test('what is sent is answered, forwarded, and said to be ready', async () => {
  const receiver = await start();
  expect((await send(receiver, '{"id":7}')).status).toBe(200);
  await waitFor(async () => (await subjectsIn(QUEUE)).length === 1, { what: 'the job' });
  expect(await subjectsIn(QUEUE)).toEqual(['affiliate:epn_bz:7']);
  expect(await readiness(receiver)).toEqual({
    ready: true,
    checks: { journal: true, redis: true, database: true },
    warnings: ['Svix is not configured'],
  });
  expect(recording.lines).toContainEqual({
    level: 'warn',
    message: 'Svix is not configured',
    meta: {},
  });
});

test('a receiver starts without Redis, answers, and forwards when there is one', async () => {
  const port = await freePort();
  const receiver = await start({ REDIS_URL: `redis://:p@127.0.0.1:${port}/0` });
  expect((await send(receiver, '{"id":"early"}')).status).toBe(200);
  expect(await readiness(receiver)).toMatchObject({ ready: false, checks: { redis: false } });

  const late = await startRedis({ dir: join(dir, `late-${port}`), password: 'p', port });
  closings.unshift(late.stop);
  const look = new Redis(late.url);
  closings.push(async () => look.disconnect());
  const waiting = `${config.REDIS_PREFIX}:${QUEUE}:wait`;
  await waitFor(async () => (await look.llen(waiting)) === 1, { what: 'the job' });
  await waitFor(async () => (await ask(receiver.metricsUrl, '/ready')).status === 200);
});

describe('a receiver does not start', () => {
  test('on a Redis that may lose what it acknowledged, unless it is told to', async () => {
    await client.config('SET', 'appendonly', 'no');
    await expect(start()).rejects.toThrow(UnsafeRedisError);
    const receiver = await start({ REDIS_UNSAFE: true });
    expect((await send(receiver, '{"id":7}')).status).toBe(200);
    await client.config('SET', 'appendonly', 'yes');
  });

  test('on a port that is taken, and leaves nothing open', async () => {
    const first = await start();
    const taken = Number(new URL(first.url).port);
    const metricsPort = await freePort();
    const folder = await mkdtemp(join(dir, 'other-'));
    const second = start({ JOURNAL_DIR: folder }, { port: taken, metricsPort });
    await expect(second).rejects.toThrow(`cannot listen on 127.0.0.1:${taken}`);
    expect(await isFree(metricsPort)).toBe(true);

    await start({ JOURNAL_DIR: folder });
    const names = await readdir(folder);
    expect(names.filter((name) => name.endsWith('.sqlite'))).toHaveLength(1);
  });
});

test('a journal at its cap is a 503 and a report, and takes events again when it has drained', async () => {
  const receiver = await start({ JOURNAL_MAX_BYTES: 2 ** 17 });
  await waitFor(async () => (await ask(receiver.metricsUrl, '/ready')).status === 200);
  await server.pause();
  closings.push(async () => server.resume());

  const answers: Answer[] = [];
  do answers.push(await send(receiver, `{"id":"${answers.length}","x":"${'x'.repeat(20_000)}"}`));
  while (answers.at(-1)?.status === 200);
  const { status, headers, body } = answers.at(-1) ?? {};
  expect([status, headers?.['retry-after'], body]).toEqual([503, '30', '{"error":"unavailable"}']);
  const halfFull = new RegExp(`kopeck_journal_waiting\\{.*\\} ${answers.length - 1}\n`);
  await waitFor(async () => halfFull.test((await ask(receiver.metricsUrl, '/metrics')).body), {
    what: 'the journal to be looked at',
  });

  server.resume();
  await waitFor(async () => (await subjectsIn(QUEUE)).length === answers.length - 1, {
    what: 'the accepted events to be forwarded, and no others',
  });
  await waitFor(async () => (await send(receiver, '{"id":"next"}')).status === 200);
  const expected = ['journal-half-full', 'journal-unavailable'].flatMap((kind) => [
    `${kind} open`,
    `${kind} closed`,
  ]);
  await waitFor(async () => {
    expect(await reports()).toEqual(expect.arrayContaining(expected));
    return true;
  });
});

test('what a copy had opened is over when it is no more and another one has adopted its journal', async () => {
  const copies = [await start(), await start()];
  await waitFor(async () => new Set(await instancesSaying('redis-unsafe closed')).size === 2);
  for (const copy of copies) await copy.close();
  await start();
  // No copy says that of itself before it has taken an event.
  await waitFor(async () => (await instancesSaying('journal-unavailable closed')).length === 1);
  const [adopted] = await instancesSaying('journal-unavailable closed');
  await waitFor(async () => {
    const ended = await instancesSaying('redis-unsafe closed');
    return ended.filter((instance) => instance === adopted).length === 2;
  });
});

async function instancesSaying(words: string): Promise<readonly string[]> {
  const jobs = await lookAt('incidents').getJobs(['waiting'], 0, -1, true);
  return jobs
    .map(({ data }) => data as IncidentReport)
    .filter(({ kind, state }) => `${kind} ${state}` === words)
    .map(({ instance }) => instance);
}

test('a receiver that closes lets go of its ports and of its journal', async () => {
  const receiver = await start();
  await send(receiver, '{"id":7}');
  await receiver.close();
  for (const url of [receiver.url, receiver.metricsUrl]) {
    expect(await isFree(Number(new URL(url).port))).toBe(true);
  }
  await start();
  const names = await readdir(config.JOURNAL_DIR);
  expect(names.filter((name) => name.endsWith('.sqlite'))).toHaveLength(1);
});
