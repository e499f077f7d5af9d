import { execFile } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '@kopeck/testing/ports';
import { waitFor } from '@kopeck/testing/wait-for';
import { allBooked, assertSound, balances, failedJobs } from '../rig/books.ts';
import { stars, type Answer } from '../rig/partners.ts';
import { startRig, type Name, type Rig } from '../rig/rig.ts';

const exec = promisify(execFile);

let rig: Rig;
let redis: Redis;
beforeAll(async () => {
  rig = await startRig(['crypto', 'ledger']);
  redis = new Redis(rig.redis.url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
}, 120_000);
/** A test that fails must not take the next ones with it. */
afterEach(async () => {
  rig.redis.resume();
  if (rig.mariadb.pid === undefined) await rig.mariadb.restart();
  if (rig.redis.pid === undefined) await rig.redis.restart();
});
afterAll(async () => {
  redis.disconnect();
  await rig.close();
});

const id = ({ body }: Answer): string => String(body['id']);

/** So many payments of one user, ten at a time; all of them must be taken. */
async function pay(user: number, count: number, at: Rig = rig): Promise<readonly string[]> {
  const ids: string[] = [];
  async function lane(first: number): Promise<void> {
    for (let index = first; index < count; index += 10) {
      const answer = await stars(at, `${user}-${index}`, String(user));
      expect(answer.status).toBe(200);
      ids.push(id(answer));
    }
  }
  await Promise.all(Array.from({ length: 10 }, (_, first) => lane(first)));
  return ids;
}

async function expectPaid(user: number, ids: readonly string[]): Promise<void> {
  await allBooked(rig, ids, 90_000);
  expect(await balances(rig)).toContain(`user:${user} ${ids.length * 1_500} NDN`);
}

test('a Redis that hangs costs no payment and no time of an answer', async () => {
  await rig.redis.pause();
  const ids = await pay(101, 50);
  rig.redis.resume();
  await expectPaid(101, ids);
});

test('a Redis that only reads costs no payment', async () => {
  await redis.call('REPLICAOF', '127.0.0.1', '1');
  const ids = await pay(102, 50);
  await redis.call('REPLICAOF', 'NO', 'ONE');
  await expectPaid(102, ids);
});

test('a Redis that is full, with MariaDB stopped, takes no more; then all is booked without an operator', async () => {
  const max = 12 * 2 ** 20;
  await redis.call('CONFIG', 'SET', 'maxmemory', String(max));
  await rig.mariadb.stop();
  const ids = await pay(103, 5_000);
  // It stops at seventy parts of a hundred, where BullMQ can still finish its jobs.
  await waitFor(() => rig.processes.get('crypto')?.log().includes('redis is full'), {
    timeoutMs: 60_000,
    what: 'the forwarder to stop',
  });
  const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  expect(used).toBeLessThan(max);
  expect(used).toBeGreaterThan(max / 2);

  await rig.mariadb.restart();
  await expectPaid(103, ids);
  await redis.call('CONFIG', 'SET', 'maxmemory', '0');
});

test('a copy that was killed before it drained leaves its journal to the next one', async () => {
  const env = {
    CRYPTO_PORT: String(await freePort()),
    CRYPTO_METRICS_PORT: String(await freePort()),
  };
  await rig.start('crypto', env, 'crypto-2');
  const second: Rig = {
    ...rig,
    url: { ...rig.url, crypto: `http://127.0.0.1:${env.CRYPTO_PORT}` },
  };
  await rig.redis.stop();
  const ids = await pay(104, 50, second);
  await rig.kill('crypto-2');
  await rig.redis.restart();

  // The first copy is alive and keeps to its own file; the next that starts takes the orphan over.
  await rig.stop('crypto');
  await rig.start('crypto');
  await expectPaid(104, ids);
  const journals = await readdir(join(rig.journalDir, 'crypto'));
  expect(journals.filter((name) => name.endsWith('.sqlite'))).toHaveLength(1);
});

/** What a process may write no further than, in any file: a number of bytes, or 'unlimited'. */
async function limitFiles(service: Name, bytes: string): Promise<void> {
  const pid = rig.processes.get(service)?.pid;
  await exec('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

/** Payments of one user, until one is refused: the answers of those that were taken, and that one's. */
async function payUntilRefused(user: number): Promise<{ taken: string[]; refused: Answer }> {
  const taken: string[] = [];
  for (;;) {
    const answer = await stars(rig, `${user}-${taken.length}`, String(user));
    if (answer.status !== 200) return { taken, refused: answer };
    taken.push(id(answer));
  }
}

// The first: after some pages of a payment, where the log ends now. The second: at once.
test.each([
  ['in the middle of a payment', 107, 6_000],
  ['at its beginning', 108, -Infinity],
])(
  'a write that fails %s is answered 503 and leaves nothing behind; the same process takes the next one',
  async (_where, user, room) => {
    const [first = ''] = await pay(user, 1);
    const folder = join(rig.journalDir, 'crypto');
    const [log = ''] = (await readdir(folder)).filter((name) => name.endsWith('.sqlite-wal'));
    const { size } = await stat(join(folder, log));
    await limitFiles('crypto', String(Math.max(size + room, 4_096)));
    const { taken, refused } = await payUntilRefused(user * 1_000);
    expect(refused).toMatchObject({ status: 503, retryAfter: '30' });
    await limitFiles('crypto', 'unlimited');

    const again = await stars(rig, `${user}-again`, String(user));
    expect(again.status).toBe(200);
    await expectPaid(user, [first, id(again)]);
    await allBooked(rig, taken);
    const credited = (await balances(rig)).filter((line) => line.startsWith(`user:${user}000 `));
    const sum = `user:${user}000 ${taken.length * 1_500} NDN`;
    expect(credited).toEqual(taken.length === 0 ? [] : [sum]);
  },
);

const isRoot = process.getuid?.() === 0;

test('on a full disk the answer is 503 before anything is half-written; what was taken before is booked', async ({
  skip,
}) => {
  skip(!isRoot, 'only root can make a small disk to fill');
  const disk = join(rig.spareDir, 'disk');
  await mkdir(disk, { recursive: true });
  await exec('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'kopeck-test', disk]);
  try {
    await rig.redis.stop();
    await rig.stop('crypto');
    await rig.start('crypto', { JOURNAL_DIR: join(disk, 'journal') });
    const ids = await pay(105, 20);
    await writeFile(join(disk, 'somebody-else'), Buffer.alloc(15 * 2 ** 20));
    const refused = await waitFor(async () => {
      const answer = await stars(rig, 'on-a-full-disk', '106');
      return answer.status === 503 && answer;
    });
    expect(refused.retryAfter).toBe('30');
    await rig.kill('crypto');
    await exec('rm', [join(disk, 'somebody-else')]);
    await rig.start('crypto', { JOURNAL_DIR: join(disk, 'journal') });
    await rig.redis.restart();
    await expectPaid(105, ids);
    expect(await balances(rig)).not.toContainEqual(expect.stringContaining('user:106 '));
  } finally {
    await rig.kill('crypto');
    await exec('umount', ['--lazy', disk]);
    await rig.start('crypto');
  }
});

test('after all of this the books are sound and no job was given up', async () => {
  await assertSound(rig);
  expect(await failedJobs(rig)).toBe(0);
});
