import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { noLog } from '@kopeck/runtime/log';
import { openRedis } from '@kopeck/runtime/redis';
import { startRedis } from '@kopeck/testing/private-redis';
import type { PrivateRedis } from '@kopeck/testing/private-redis';
import { waitFor } from '@kopeck/testing/wait-for';
import { openMemory } from '../src/memory.ts';
import type { Memory } from '../src/memory.ts';

const KEY = '{kopeck}:incidents';

let dir: string;
let server: PrivateRedis;
let clients: Redis[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-memory-'));
  server = await startRedis({ dir, password: 'hunter2hunter2' });
});

afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});

beforeEach(async () => {
  await client().flushall();
});

afterEach(() => {
  for (const redis of clients) redis.disconnect();
  clients = [];
});

function client(): Redis {
  const redis = openRedis(server.url, noLog);
  clients.push(redis);
  return redis;
}

function memoryOf(redis: Redis): Memory<string> {
  return openMemory<string>({
    redis,
    key: KEY,
    merge: (mine, earlier) => `${earlier}, ${mine}`,
    log: noLog,
  });
}

const kept = (): Promise<Record<string, string>> => client().hgetall(KEY);

test('an earlier life is remembered', async () => {
  const first = memoryOf(client());
  first.set('a', 'one');
  first.set('b', 'two');
  first.delete('b');
  await waitFor(async () => expect(await kept()).toEqual({ a: '"one"' }) ?? true);

  const second = memoryOf(client());
  await second.loaded;
  expect(second.entries()).toEqual([['a', 'one']]);
});

test('what was learnt while Redis was away is joined with what Redis knows', async () => {
  await client().hset(KEY, { a: '"earlier"', b: '"earlier"', c: '"earlier"' });
  await server.stop();
  const memory = memoryOf(client());
  memory.set('a', 'mine');
  memory.set('b', 'mine');
  memory.delete('b');
  expect(memory.entries()).toEqual([['a', 'mine']]);

  await server.restart();
  await memory.loaded;
  const joined = { a: '"earlier, mine"', c: '"earlier"' };
  await waitFor(async () => expect(await kept()).toEqual(joined) ?? true);
});

test('a Redis that has forgotten everything is told again', async () => {
  const redis = client();
  const memory = memoryOf(redis);
  memory.set('a', 'one');
  await waitFor(async () => expect(await kept()).toEqual({ a: '"one"' }) ?? true);
  await client().flushall();
  redis.disconnect(true);
  await waitFor(async () => expect(await kept()).toEqual({ a: '"one"' }) ?? true);
});
