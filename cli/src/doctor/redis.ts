import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { noLog } from '@kopeck/runtime/log';
import { checkRedisSafety, openImpatientRedis, UnsafeRedisError } from '@kopeck/runtime/redis';
import type { Context } from '../commands/command.ts';
import { error, ok, warn, type Check, type Finding } from './check.ts';

/** Does Redis keep what it is told, and does it let us in by a name of our own? */
export const REDIS_CHECKS: readonly Check[] = [{ name: 'redis', run: redis }];

const ANSWER_WITHIN_MS = 5_000;
/** From here on the receivers wait: a full Redis could not even finish a job. */
const FULL = 0.7;

async function redis({ value }: Context): Promise<readonly Finding[]> {
  const url = value('REDIS_URL');
  const client = openImpatientRedis(url, noLog, ANSWER_WITHIN_MS);
  try {
    // A wrong password is told by an error before anything is ready.
    await Promise.race([
      once(client, 'ready', { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }),
      once(client, 'error').then(([thrown]) => Promise.reject(thrown as Error)),
    ]);
    return [await safety(client), await memory(client), ...(await users(client, url))];
  } catch (thrown) {
    return [refused(thrown)];
  } finally {
    client.disconnect();
  }
}

async function safety(client: Redis): Promise<Finding> {
  try {
    await checkRedisSafety(client);
    return ok('Redis keeps every write, and evicts nothing');
  } catch (thrown) {
    if (!(thrown instanceof UnsafeRedisError)) throw thrown;
    const what = /: (.*)\. Set it so/.exec(thrown.message)?.[1] ?? 'it may forget';
    return error(
      `Redis may lose what it has acknowledged: ${what}`,
      'Set that in redis.conf (deploy/redis/redis.conf has it right) and restart Redis. Nothing is forwarded until then, and nothing is lost.',
    );
  }
}

async function memory(client: Redis): Promise<Finding> {
  const info = await client.info('memory');
  const figure = (name: string): number =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const [used, max] = [figure('used_memory'), figure('maxmemory')];
  if (max === 0) {
    return warn('Redis has no maxmemory', 'Set one below the memory of its container.');
  }
  const percent = Math.round((100 * used) / max);
  return used < FULL * max
    ? ok(`Redis uses ${percent} % of its memory`)
    : error(
        `Redis is full to ${percent} %, and the receivers keep their events to themselves`,
        'See why the ledger takes nothing (`kopeck logs ledger`), or raise maxmemory.',
      );
}

/** Somebody who gets into one container must not read the queues of all. */
async function users(client: Redis, url: string): Promise<readonly Finding[]> {
  if (new URL(url).username !== '') return [ok('Redis knows its users by name')];
  const answered = await client.ping();
  return answered !== 'PONG'
    ? []
    : [
        warn(
          'one password opens all of Redis: there is no user (ACL) for each service',
          'Give each service a user of its own, as deploy/redis/users.acl does.',
        ),
      ];
}

const PASSWORD =
  'See that the REDIS_… passwords in .env are those Redis was started with: `kopeck restart redis`, then the services.';

function refused(thrown: unknown): Finding {
  const text = thrown instanceof Error ? thrown.message : '';
  if (text.startsWith('WRONGPASS'))
    return error('Redis refuses the user or the password', PASSWORD);
  if (text.startsWith('NOAUTH'))
    return error('Redis wants a password and was given none', PASSWORD);
  if (text.startsWith('NOPERM')) {
    return error(
      'the user of Redis may not do what it needs (ACL)',
      'Compare the users with deploy/redis/users.acl, then `kopeck restart redis`.',
    );
  }
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'silence';
  return error(
    `Redis does not answer (${code})`,
    'See whether it runs (`kopeck status`) and what it says (`kopeck logs redis`). Meanwhile events stay in the journals.',
  );
}
