import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** Every command that ever changed this Redis, from its append-only file. */
export async function everWrittenTo(url: string): Promise<string> {
  const redis = new Redis(url);
  const [, dir = ''] = await redis.config('GET', 'dir');
  redis.disconnect();
  const folder = join(dir, 'appendonlydir');
  const names = await readdir(folder);
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return Buffer.concat(files).toString('utf8');
}

/** Every key that stands in a Redis now, with all that is in it, as text. */
export async function everythingIn(url: string): Promise<string> {
  const redis = new Redis(url);
  const lines: string[] = [];
  for (const key of await redis.keys('*')) {
    lines.push(`${key} ${JSON.stringify(await valueOf(redis, key, await redis.type(key)))}`);
  }
  redis.disconnect();
  return lines.join('\n');
}

function valueOf(redis: Redis, key: string, type: string): Promise<unknown> {
  const read: Readonly<Record<string, () => Promise<unknown>>> = {
    none: () => Promise.resolve('gone meanwhile'),
    string: () => redis.get(key),
    hash: () => redis.hgetall(key),
    list: () => redis.lrange(key, 0, -1),
    set: () => redis.smembers(key),
    zset: () => redis.zrange(key, '0', '-1'),
    stream: () => redis.xrange(key, '-', '+'),
  };
  return (read[type] ?? (() => Promise.reject(new Error(`what is a ${type}?`))))();
}
