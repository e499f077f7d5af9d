import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  checkRedisSafety,
  openImpatientRedis,
  openRedis,
  UnsafeRedisError,
} from '@kopeck/runtime/redis';
import { freePort } from '@kopeck/testing/ports';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { waitFor } from '@kopeck/testing/wait-for';
import { recordingLog } from './recording-log.ts';

let dir: string;
let server: PrivateRedis;
let opened: Redis[] = [];
let recording: ReturnType<typeof recordingLog>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-redis-'));
  server = await startRedis({ dir, password: 'p' });
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});
beforeEach(() => {
  recording = recordingLog();
});
afterEach(() => {
  for (const redis of opened) redis.disconnect();
  opened = [];
});

function keep(redis: Redis): Redis {
  opened.push(redis);
  return redis;
}

describe('a Redis that keeps what it acknowledges', () => {
  test('is safe', async () => {
    await checkRedisSafety(keep(openRedis(server.url, recording.log)));
  });

  test.each([
    ['appendonly', 'no', 'yes'],
    ['appendfsync', 'everysec', 'always'],
    ['maxmemory-policy', 'allkeys-lru', 'noeviction'],
  ])('is none whose %s is %s', async (key, wrong, right) => {
    const redis = keep(openRedis(server.url, recording.log));
    await redis.config('SET', key, wrong);
    const check = checkRedisSafety(redis);
    await expect(check).rejects.toThrow(UnsafeRedisError);
    await expect(check).rejects.toThrow(`${key} is '${wrong}' and must be '${right}'`);
    await redis.config('SET', key, right);
  });

  test('is none that does not tell its settings', async () => {
    const owner = keep(openRedis(server.url, recording.log));
    await owner.acl('SETUSER', 'mute', 'on', '>p', '~*', '&*', '+@all', '-config');
    const mute = keep(openRedis(server.url.replace('://:', '://mute:'), recording.log));
    await expect(checkRedisSafety(mute)).rejects.toThrow(UnsafeRedisError);
    await owner.acl('SETUSER', 'mute', '+config|get');
    await checkRedisSafety(mute);
  });
});

describe('a connection', () => {
  test('that cannot be made is told once, with its reason and without its password', async () => {
    const url = `redis://:hidden-password@127.0.0.1:${await freePort()}/0`;
    const redis = keep(openRedis(url, recording.log));
    let attempts = 0;
    redis.on('error', () => (attempts += 1));
    await waitFor(() => attempts >= 2, { what: 'a second attempt' });
    expect(recording.lines).toMatchObject([
      { level: 'warn', message: 'redis is away', meta: { error: { code: 'ECONNREFUSED' } } },
    ]);
    expect(String(recording.lines[0]?.meta['error'])).not.toContain('hidden-password');
  });

  test('that is lost is made again, and what was asked meanwhile is answered', async () => {
    const redis = keep(openRedis(server.url, recording.log));
    await redis.ping();
    await server.kill();
    await waitFor(() => recording.lines.length > 0, { what: 'the loss to be told' });
    const answer = redis.ping();
    await server.restart();
    expect(await answer).toBe('PONG');
    expect(recording.lines.map(({ message }) => message)).toEqual([
      'redis is away',
      'redis is back',
    ]);
  });

  test('over which nothing comes any more is given up and made again', async () => {
    const redis = keep(openRedis(server.url, recording.log, { socketTimeout: 50 }));
    await redis.ping();
    await server.pause();
    const answer = redis.ping();
    await waitFor(() => redis.status !== 'ready', { what: 'the connection to be given up' });
    server.resume();
    expect(await answer).toBe('PONG');
  });

  test('for look-ups fails at once while there is none, and soon when nothing comes', async () => {
    const away = `redis://127.0.0.1:${await freePort()}/0`;
    const lost = keep(openImpatientRedis(away, recording.log, 300));
    await expect(lost.get('x')).rejects.toThrow('enableOfflineQueue');

    const redis = keep(openImpatientRedis(server.url, recording.log, 20));
    await waitFor(() => redis.status === 'ready', { what: 'the connection' });
    await server.pause();
    await expect(redis.get('x')).rejects.toThrow('Command timed out');
    server.resume();
    expect(await waitFor(() => redis.ping(), { what: 'an answer' })).toBe('PONG');
  });
});
