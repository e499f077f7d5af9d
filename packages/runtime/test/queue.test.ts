import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Queue, type Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import { noLog } from '@kopeck/runtime/log';
import { openQueue, openWorker, type EventQueue } from '@kopeck/runtime/queue';
import { openRedis } from '@kopeck/runtime/redis';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { tinyEvent } from './tiny-source.ts';

/** What Kopeck needs of BullMQ on this client, of which BullMQ's own tests run another version. */

const QUEUE = 'events-epn';
// Those who are killed keep their jobs for less: children/take-and-hang.ts.
const PACE = { concurrency: 5, lockMs: 5_000, stalledMs: 200 };
const FINAL_STATES = ['failed', 'completed', 'delayed', 'active', 'waiting'] as const;

let dir: string;
let server: PrivateRedis;
let redis: Redis;
let prefix: string;
let queue: EventQueue;
let raw: Queue<KopeckEvent>;
let closings: (() => unknown)[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-queue-'));
  server = await startRedis({ dir, password: 'p' });
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});
beforeEach(() => {
  prefix = createTestRedis(server.url).prefix;
  redis = openRedis(server.url, noLog);
  queue = openQueue(QUEUE, redis, prefix);
  // A Queue writes its own options over those of the others, unless it is told not to.
  raw = new Queue(QUEUE, { connection: redis, prefix, skipMetasUpdate: true });
  closings = [() => redis.disconnect()];
});
afterEach(async () => {
  for (const close of closings.toReversed()) await close();
});

function work(process: (event: KopeckEvent) => Promise<void>): Worker<KopeckEvent> {
  const own = openRedis(server.url, noLog);
  const worker = openWorker(QUEUE, process, { redis: own, prefix, ...PACE }, noLog);
  closings.push(async () => {
    await worker.close(true);
    own.disconnect();
  });
  return worker;
}

/** A worker that does every job, and the ids of those that it has done. */
function collect(): string[] {
  const done: string[] = [];
  work(async ({ subject }) => void done.push(subject));
  return done;
}

function events(count: number, name = 'e'): readonly KopeckEvent[] {
  return Array.from({ length: count }, (_, index) => tinyEvent(`${name}${index}`));
}

async function counts(): Promise<Record<string, number>> {
  const all = await raw.getJobCounts(...FINAL_STATES);
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
}

describe('a job', () => {
  test('is the event, under its job id and the name of its type', async () => {
    const [event] = events(1);
    await queue.publish(events(1));
    const jobs = await raw.getJobs(['waiting']);
    expect(jobs.map(({ id, name, data }) => ({ id, name, data }))).toEqual([
      { id: event === undefined ? '' : jobId(event), name: event?.type, data: event },
    ]);
  });

  test('that waits swallows its repeats', async () => {
    await queue.publish(events(3));
    await queue.publish([...events(3), ...events(4)]);
    expect([await queue.waiting(), await counts()]).toEqual([4, { waiting: 4 }]);
  });

  test('of the same id with other content is another one', async () => {
    const [event] = events(1);
    await queue.publish(events(1));
    await queue.publish(events(1).map((same) => ({ ...same, contenthash: 'f'.repeat(64) })));
    expect(event?.id).toBe((await raw.getJobs(['waiting']))[0]?.data.id);
    expect(await counts()).toEqual({ waiting: 2 });
  });

  test('that is under way swallows its repeats, and one that is done does not', async () => {
    let finish: () => void = () => undefined;
    let times = 0;
    work(async () => {
      times += 1;
      if (times === 1) await new Promise<void>((resolve) => (finish = resolve));
    });
    await queue.publish(events(1));
    await waitFor(() => times === 1, { what: 'the job to be taken' });
    await queue.publish(events(1));
    finish();
    await waitFor(async () => Object.keys(await counts()).length === 0, { what: 'an empty queue' });
    expect(times).toBe(1);

    await queue.publish(events(1));
    await waitFor(() => times === 2, { what: 'the repeat to be done' });
  });

  test('that fails is tried again until it is done, and never given up', async () => {
    let times = 0;
    work(async () => {
      times += 1;
      if (times < 3) throw new Error('not yet');
    });
    await queue.publish(events(1));
    await waitFor(() => times === 3, { what: 'a third attempt' });
    await waitFor(async () => Object.keys(await counts()).length === 0, { what: 'an empty queue' });
  });

  test('leaves nothing behind that grows', async () => {
    const done = collect();
    await queue.publish(events(1_000));
    await waitFor(() => new Set(done).size === 1_000, { what: 'all jobs to be done' });
    await waitFor(async () => Object.keys(await counts()).length === 0, { what: 'an empty queue' });
    expect(await redis.xlen(`${prefix}:${QUEUE}:events`)).toBeLessThan(300);
    expect((await redis.keys(`${prefix}:${QUEUE}:*`)).length).toBeLessThan(10);
  });
});

describe('a worker', () => {
  let children: ChildProcess[];
  beforeEach(() => {
    children = [];
    closings.push(() => {
      for (const child of children) child.kill('SIGKILL');
    });
  });

  function startHanging() {
    const file = join(import.meta.dirname, 'children', 'take-and-hang.ts');
    const child = spawn(process.execPath, [file, server.url, prefix], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return { child, said: async () => (await lines.next()).value as string };
  }

  test('that is killed twice costs a job nothing: it is done by the next', async () => {
    const hanging = [startHanging(), startHanging()];
    for (const { said } of hanging) expect(await said()).toBe('ready');
    const [event] = events(1);
    await queue.publish(events(1));

    const taken = hanging.map(async ({ child, said }) => {
      const id = await said();
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      return id;
    });
    const expected = event === undefined ? '' : jobId(event);
    expect(await Promise.all(taken)).toEqual([expected, expected]);

    const done = collect();
    await waitFor(() => done.length === 1, { what: 'the job to be done by the third' });
    await waitFor(async () => Object.keys(await counts()).length === 0, { what: 'an empty queue' });
  });

  test('goes on after Redis was killed, with what was published meanwhile', async () => {
    const done = collect();
    await queue.publish(events(2, 'before'));
    await waitFor(() => done.length === 2, { what: 'the first jobs' });
    await server.kill();
    const published = queue.publish(events(2, 'meanwhile'));
    await server.restart();
    await published;
    await waitFor(() => new Set(done).size === 4, { what: 'the other jobs' });
    expect(await counts()).not.toHaveProperty('failed');
  });

  test('goes on after its connections were cut', async () => {
    const done = collect();
    await queue.publish(events(1, 'before'));
    await waitFor(() => new Set(done).size === 1, { what: 'the first job' });
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await queue.publish(events(1, 'after'));
    await waitFor(() => new Set(done).size === 2, { what: 'the second job' });
  });

  test('that closes finishes what it has begun, and takes no more', async () => {
    let begun = 0;
    let finish: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (finish = resolve));
    const worker = work(async () => {
      begun += 1;
      await released;
    });
    await queue.publish(events(8));
    await waitFor(() => begun === PACE.concurrency, { what: 'all hands to be busy' });
    const closed = worker.close();
    finish();
    await closed;
    expect(begun).toBe(PACE.concurrency);
    expect(await counts()).toEqual({ waiting: 8 - PACE.concurrency });
  });
});

test('closing a queue leaves the connection to whoever opened it', async () => {
  await queue.publish(events(1));
  await queue.close();
  expect(await redis.ping()).toBe('PONG');
});
