import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isFree } from '@kopeck/testing/ports';
import { startRedis, type PrivateRedis, type RedisOptions } from '@kopeck/testing/private-redis';

let dir: string;
let running: PrivateRedis[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck redis-')); // with a space: paths on macOS have them
  running = [];
});

afterEach(async () => {
  for (const redis of running) await redis.stop();
  await rm(dir, { recursive: true });
});

async function start(options: Partial<RedisOptions> = {}): Promise<PrivateRedis> {
  const redis = await startRedis({ dir, password: 'p"a\\ss @word', ...options });
  running.push(redis);
  return redis;
}

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

test('has the settings that Kopeck demands', async () => {
  const { url } = await start();
  const settings = await withClient(url, (client) =>
    client.config('GET', 'appendonly', 'appendfsync', 'maxmemory-policy', 'bind'),
  );
  expect(asRecord(settings)).toEqual({
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    bind: '127.0.0.1',
  });
});

test('lets nobody in without the password', async () => {
  const { port } = await start();
  const intruder = connect(port, '127.0.0.1');
  intruder.write('PING\r\n');
  const [answer] = (await once(intruder, 'data')) as [Buffer];
  intruder.destroy();
  expect(answer.toString()).toContain('NOAUTH');
});

test('takes further settings', async () => {
  const { url } = await start({ extraArgs: ['--maxmemory', '20mb'] });
  const settings = await withClient(url, (client) => client.config('GET', 'maxmemory'));
  expect(asRecord(settings)).toEqual({ maxmemory: String(20 * 1024 * 1024) });
});

test('keeps its data over stop and a second start', async () => {
  const first = await start();
  await withClient(first.url, (client) => client.set('kept', 'yes'));
  await first.stop();

  const second = await start();
  expect(await withClient(second.url, (client) => client.get('kept'))).toBe('yes');
});

test('keeps what it has acknowledged when it is killed', async () => {
  const redis = await start();
  await withClient(redis.url, (client) => client.set('kept', 'yes'));
  await redis.kill();
  expect(redis.pid).toBeUndefined();

  await redis.restart();
  expect(await withClient(redis.url, (client) => client.get('kept'))).toBe('yes');
});

test('answers nothing while it is paused, and goes on when it is resumed', async () => {
  const redis = await start();
  await withClient(redis.url, async (client) => {
    await redis.pause();
    let answered = false;
    const answer = client.ping().then((pong) => {
      answered = true;
      return pong;
    });
    await expect(ping(redis.url, 200)).rejects.toThrow();
    expect(answered).toBe(false);
    redis.resume();
    expect(await answer).toBe('PONG');
  });
});

test('stops also while it is paused, and frees its port', async () => {
  const redis = await start();
  await redis.pause();
  await redis.stop();
  expect(await isFree(redis.port)).toBe(true);
});

test('says why it cannot start', async () => {
  const { port } = await start();
  const second = startRedis({ dir: join(dir, 'second'), password: 'x', port });
  await expect(second).rejects.toThrow(`waited 3000 ms for port ${port} of 127.0.0.1, for Redis`);

  const extraArgs = ['--no-such-thing', 'x'];
  const third = startRedis({ dir: join(dir, 'third'), password: 'x', extraArgs });
  await expect(third).rejects.toThrow(/Redis did not start:[^]*Bad directive/);
});

async function ping(url: string, commandTimeout: number): Promise<string> {
  const client = new Redis(url, { commandTimeout, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    return await client.ping();
  } finally {
    client.disconnect();
  }
}

/** CONFIG GET answers with a flat list on RESP2 and with an object on RESP3. */
function asRecord(answer: unknown): Record<string, unknown> {
  if (!Array.isArray(answer)) return answer as Record<string, unknown>;
  const pairs = Array.from({ length: answer.length / 2 }, (_, index) => [
    answer[index * 2],
    answer[index * 2 + 1],
  ]);
  return Object.fromEntries(pairs) as Record<string, unknown>;
}
