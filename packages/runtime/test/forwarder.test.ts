import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import { openQueue } from '@kopeck/runtime/queue';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { waitFor } from '@kopeck/testing/wait-for';
import { createRig, type Rig } from './forwarding.ts';
import { tinyEvent } from './tiny-source.ts';

// A Redis of its own: it is killed, stopped, filled and emptied.
let dir: string;
let server: PrivateRedis;
let rig: Rig;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-forwarder-'));
  server = await startRedis({ dir: join(dir, 'redis'), password: 'p' });
});
beforeEach(async () => {
  rig = await createRig(server.url, dir);
});
afterEach(() => rig.close());
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});

function some(count: number, prefix = 'e', evidence = ''): readonly KopeckEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    ...tinyEvent(`${prefix}${index}`),
    evidence,
  }));
}

function jobsOf(events: readonly KopeckEvent[]): string[] {
  return events.map((event) => jobId(event));
}

describe('what was appended', () => {
  test('is forwarded, the oldest first, and once', async () => {
    const events = some(450);
    await rig.append(events);
    rig.start();
    await rig.drained();
    expect(await rig.jobs()).toEqual(jobsOf(events));
    expect(await rig.redis.get(rig.epochKey)).toBe(String(await rig.journal.forwarded()));

    const later = some(3, 'later');
    await rig.append(later);
    await rig.drained();
    expect(await rig.jobs()).toEqual(jobsOf([...events, ...later]));
  });

  test('is forwarded also while more and more comes in', async () => {
    await rig.append(some(120));
    rig.start();
    let rounds = 0;
    const addMore = async (): Promise<boolean> => {
      rounds += 1;
      await rig.append(some(5, `more-${rounds}-`));
      return (await rig.journal.forwarded()) >= 120;
    };
    await waitFor(addMore, { everyMs: 1, what: 'the first to be forwarded' });
    await rig.drained();
    expect(await rig.jobs()).toHaveLength(120 + 5 * rounds);
  });

  test('waits on disk while it comes in faster than somebody works, and goes on when it has come', async () => {
    await rig.append(some(1_500));
    rig.start();
    const adding = setInterval(() => void rig.append(some(1, crypto.randomUUID())), 5);
    try {
      await waitFor(async () => (await rig.jobs()).length >= 500, {
        what: 'half a second of work',
      });
      const { length } = await rig.jobs();
      await delay(1_000);
      expect((await rig.jobs()).length).toBeLessThan(length + 200);
      expect(await rig.journal.waiting()).toBeGreaterThan(500);
    } finally {
      clearInterval(adding);
    }
    await rig.drained();
    expect((await rig.jobs()).length).toBeGreaterThan(1_500);
  });

  test('again goes to the queue again, for whoever works there to see', async () => {
    const done = rig.work();
    rig.start();
    const [event] = some(1);
    if (event === undefined) throw new Error('no event');
    for (let times = 1; times <= 2; times += 1) {
      await rig.append([event]);
      await waitFor(() => done.length === times, { what: 'the job to be done' });
    }
  });

  test('waits for the next start when the forwarder was closed', async () => {
    rig.start();
    await rig.stop();
    await rig.append(some(3));
    expect(await rig.jobs()).toEqual([]);
    rig.start();
    await rig.drained();
    expect(await rig.jobs()).toHaveLength(3);
  });
});

describe('a Redis that is killed', () => {
  test('and comes back has everything in the end, and nobody waited for it', async () => {
    const events = some(600);
    rig.start();
    await rig.append(events.slice(0, 200));
    await waitFor(async () => (await rig.journal.waiting()) < 200, { what: 'forwarding to begin' });
    await Promise.all([server.kill(), rig.append(events.slice(200, 400))]);
    await rig.append(events.slice(400));
    expect(await rig.journal.waiting()).toBeGreaterThanOrEqual(200);

    await server.restart();
    await rig.drained();
    expect((await rig.jobs()).toSorted()).toEqual(jobsOf(events).toSorted());
  });

  test('is told once, however long it is away', async () => {
    rig.start();
    await waitFor(() => rig.safety.length > 0, { what: 'Redis to be looked at' });
    await server.kill();
    await rig.append(some(1));
    let attempts = 0;
    rig.redis.on('error', () => (attempts += 1));
    await waitFor(() => attempts >= 2, { what: 'a second attempt' });
    await server.restart();
    await rig.drained();
    for (const said of ['redis is away', 'forwarding failed, will be tried again']) {
      const times = rig.lines.filter(({ message }) => message === said).length;
      expect(times).toBeLessThanOrEqual(2); // two connections
    }
  });
});

describe('a Redis that is emptied', () => {
  test('while it is connected gets everything again that is kept', async () => {
    const events = some(5);
    rig.start();
    await rig.append(events);
    await rig.drained();

    await rig.redis.flushall();
    await waitFor(async () => (await rig.jobs()).length === 5, { what: 'all jobs to be back' });
    expect(await rig.jobs()).toEqual(jobsOf(events));
    expect(rig.lines.map(({ message }) => message)).toContain(
      'redis has another memory than the journal: forwarding again what is kept',
    );
  });

  test('while nobody looks gets everything again that is kept', async () => {
    const events = some(5);
    rig.start();
    await rig.append(events);
    await rig.drained();
    await rig.stop();

    await rig.redis.flushall();
    await rig.append(some(1, 'later'));
    rig.start();
    await rig.drained();
    expect(await rig.jobs()).toEqual(jobsOf([...events, ...some(1, 'later')]));
  });

  test('just between an acknowledgement and the epoch gets everything again', async () => {
    const before = some(2, 'before');
    rig.start();
    await rig.append(before);
    await rig.drained();
    await rig.stop();

    const prefix = rig.epochKey.split(':epoch:')[0] ?? '';
    const queue = openQueue('events-epn', rig.redis, prefix);
    let times = 0;
    rig.start({
      queue: {
        ...queue,
        publish: async (events) => {
          await queue.publish(events);
          times += 1;
          if (times === 1) await rig.redis.flushall();
        },
      },
    });
    const after = some(2, 'after');
    await rig.append(after);
    await waitFor(async () => times > 1 && (await rig.journal.waiting()) === 0, {
      what: 'a second time',
    });
    expect(await rig.jobs()).toEqual(jobsOf([...before, ...after]));
  });

  test('is not suspected when only our mark was lost', async () => {
    const done = rig.work();
    rig.start();
    await rig.append(some(2));
    await waitFor(() => done.length === 2, { what: 'the jobs to be done' });
    await rig.stop();

    await rig.redis.set(rig.epochKey, 10);
    rig.start();
    await rig.append(some(1, 'later'));
    await waitFor(() => done.length === 3, { what: 'the next job' });
    await rig.drained();
    expect(done).toEqual(jobsOf([...some(2), ...some(1, 'later')]));
  });
});

test('a Redis that hangs keeps nobody waiting, and gets everything when it goes on', async () => {
  rig.start();
  await rig.append(some(1, 'first'));
  await rig.drained();

  await server.pause();
  const events = some(50);
  await rig.append(events);
  expect(await rig.journal.waiting()).toBe(50);
  server.resume();
  await rig.drained();
  expect(await rig.jobs()).toEqual(jobsOf([...some(1, 'first'), ...events]));
});

test('a Redis that fills up is left room to work, and gets the rest when it has some', async () => {
  const cap = 20 * 1024 * 1024;
  const used = async (): Promise<number> =>
    Number(/used_memory:(\d+)/.exec(await rig.redis.info('memory'))?.[1]);
  await rig.redis.flushall();
  await rig.redis.config('SET', 'maxmemory', String(cap));
  rig.start();
  const events = some(200, 'e', 'x'.repeat(100_000));
  await rig.append(events);
  const isFull = () => rig.lines.some(({ message }) => message.startsWith('redis is full'));
  await waitFor(isFull, { what: 'Redis to be full' });
  expect(await used()).toBeGreaterThan(cap * 0.7);
  expect(await used()).toBeLessThan(cap * 0.85);
  expect(await rig.journal.waiting()).toBeGreaterThan(0);

  const done = rig.work();
  await waitFor(() => new Set(done).size >= events.length, { what: 'all jobs to be done' });
  await rig.drained();
  expect([...new Set(done)].toSorted()).toEqual(jobsOf(events).toSorted());
  await rig.redis.config('SET', 'maxmemory', '0');
});

test('a queue in which too much waits gets no more, which is told once', async () => {
  const queue = openQueue('events-epn', rig.redis, 'unused');
  let waiting = 50_000;
  let looks = 0;
  const published: string[] = [];
  rig.start({
    queue: {
      ...queue,
      publish: async (events) => void published.push(...jobsOf(events)),
      waiting: async () => {
        looks += 1;
        return waiting;
      },
    },
  });
  await rig.append(some(3));
  await waitFor(() => looks >= 3, { what: 'a third look' });
  expect(published).toEqual([]);

  waiting = 49_999;
  await rig.drained();
  expect(published).toEqual(jobsOf(some(3)));
  await waitFor(() => rig.lines.length > 1, { what: 'the second line' });
  expect(rig.lines.map(({ message }) => message)).toEqual([
    'redis is full: forwarding waits for room',
    'forwarding again',
  ]);
});

test('a Redis that may lose writes gets nothing until it keeps them', async () => {
  await rig.redis.config('SET', 'appendfsync', 'everysec');
  rig.start();
  await rig.append(some(1));
  await waitFor(() => rig.safety.length > 1, { what: 'Redis to be looked at twice' });
  expect(rig.safety.every((error) => error !== null)).toBe(true);
  expect([await rig.journal.waiting(), await rig.jobs()]).toEqual([1, []]);

  await rig.redis.config('SET', 'appendfsync', 'always');
  await rig.drained();
  expect(rig.safety.at(-1)).toBeNull();
});

test('a Redis that may lose writes gets everything when that is what the operator wants', async () => {
  await rig.redis.config('SET', 'appendfsync', 'everysec');
  rig.start({ unsafe: true });
  await rig.append(some(1));
  await rig.drained();
  await rig.redis.config('SET', 'appendfsync', 'always');
});
