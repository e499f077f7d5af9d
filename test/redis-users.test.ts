import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openReplay } from '@kopeck/runtime/replay';
import { requireBinaries } from '@kopeck/testing/binaries';
import { paymentEvent } from '@kopeck/testing/build-event';
import { freePort } from '@kopeck/testing/ports';
import { startServer, type PrivateServer } from '@kopeck/testing/private-server';

// The Redis of docker-compose.yml, as it is configured there, without Docker.
const DEPLOY = join(import.meta.dirname, '..', 'deploy', 'redis');
const USERS = ['sbp', 'crypto', 'epn', 'admin', 'ledger', 'courier', 'cli'] as const;
const prefix = '{kopeck}';

let dir: string;
let port: number;
let server: PrivateServer;
let open: Redis[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-redis-'));
  port = await freePort();
  await writeFile(join(dir, 'users.acl'), await usersAcl());
  const configuration = await readFile(join(DEPLOY, 'redis.conf'), 'utf8');
  await writeFile(join(dir, 'redis.conf'), configuration.replace('dir /data', `dir ${dir}`));
  const { command, argv0 } = requireBinaries().redisServer;
  const here = ['--port', String(port), '--bind', '127.0.0.1'];
  server = await startServer({
    name: 'Redis',
    command,
    argv0,
    args: [join(dir, 'redis.conf'), ...here, '--aclfile', join(dir, 'users.acl')],
    port,
    logFile: join(dir, 'redis.log'),
    probe: async () => void (await as('cli').ping()),
  });
});

afterEach(() => {
  for (const redis of open) redis.disconnect();
  open = [];
});

afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});

/** As deploy/redis/start.sh makes it. */
async function usersAcl(): Promise<string> {
  const template = await readFile(join(DEPLOY, 'users.acl'), 'utf8');
  const hashOf = (user: string): string =>
    createHash('sha256').update(passwordOf(user)).digest('hex');
  return USERS.reduce(
    (text, user) => text.replace(` #${user.toUpperCase()} `, ` #${hashOf(user)} `),
    template,
  );
}

function passwordOf(user: string): string {
  return `the-password-of-${user}`;
}

function as(username: string): Redis {
  const password = passwordOf(username);
  const redis = new Redis({ port, username, password, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  open.push(redis);
  return redis;
}

/** A queue's keys: BullMQ's own. */
function queue(name: string, user: string): Queue {
  return new Queue(name, { connection: as(user), prefix });
}

test('what was acknowledged in a transaction is there after a crash', async () => {
  const before = queue('events-sbp', 'sbp');
  await before.addBulk(
    [1, 2, 3].map((n) => ({ name: 'paid', data: { n }, opts: { jobId: `j${n}` } })),
  );
  await as('cli').multi().set(`${prefix}:a`, '1').set(`${prefix}:b`, '2').exec();
  await server.kill();
  await server.restart();
  expect(await queue('events-sbp', 'sbp').count()).toBe(3);
  expect(await as('cli').mget(`${prefix}:a`, `${prefix}:b`)).toEqual(['1', '2']);
});

test('who has no name is nobody', async () => {
  const nobody = new Redis({ port, retryStrategy: () => null, enableReadyCheck: false });
  nobody.on('error', () => undefined);
  open.push(nobody);
  await expect(nobody.get('a')).rejects.toThrow('NOAUTH');
  const health = { port, username: 'health', password: 'any', enableReadyCheck: false };
  const looker = new Redis(health);
  open.push(looker);
  expect(await looker.ping()).toBe('PONG');
  await expect(looker.get('a')).rejects.toThrow('NOPERM');
});

test('the ledger books what a receiver has published, and the courier hears of incidents', async () => {
  for (const [name, from, to] of [
    ['events-epn', 'epn', 'ledger'],
    ['incidents', 'epn', 'courier'],
  ] as const) {
    const worker = new Worker(name, async () => undefined, { connection: as(to), prefix });
    const completed = new Promise<string | undefined>((resolve) => {
      worker.on('completed', (job) => resolve(job.id));
    });
    await queue(name, from).add('told', {}, { jobId: 'one' });
    expect(await completed).toBe('one');
    await worker.close();
  }
});

test('the operator sends an event again, and has what a queue has given up tried again', async () => {
  const replay = openReplay({ redis: as('cli'), prefix });
  const paid = paymentEvent('payment.paid', { source: 'cryptobot', paymentId: 'again' });
  const refuse = (): Promise<never> => Promise.reject(new Error('given up'));
  const options = { connection: as('ledger'), prefix };
  const worker = new Worker('events-crypto', refuse, options);
  const failed = new Promise((resolve) => worker.on('failed', resolve));
  await queue('events-crypto', 'crypto').add(paid.type, paid, { attempts: 1 });
  await failed;
  await worker.close();
  await replay.send([paid]);
  expect(await replay.retryFailed()).toEqual([paid.id]);
  expect(await queue('events-crypto', 'ledger').count()).toBe(2);
});

test.for(USERS.filter((user) => user !== 'cli'))(
  '%s reaches no key that is not its own',
  async (user) => {
    const redis = as(user);
    const queues = ['events-sbp', 'events-crypto', 'events-epn', 'events-admin', 'admin-refresh-1'];
    const keys = [...queues.map((name) => `${prefix}:${name}:x`), `${prefix}:alerts`, 'other'];
    const reached: string[] = [];
    for (const key of keys) {
      const answer = await redis.get(key).catch((error: Error) => error.message);
      if (!String(answer).startsWith('NOPERM')) reached.push(key.replace(`${prefix}:`, ''));
    }
    expect(reached).toEqual(OWN[user]);
  },
);

const OWN: Readonly<Record<string, readonly string[]>> = {
  sbp: ['events-sbp:x'],
  crypto: ['events-crypto:x'],
  epn: ['events-epn:x'],
  admin: ['events-admin:x', 'admin-refresh-1:x'],
  ledger: ['events-sbp:x', 'events-crypto:x', 'events-epn:x', 'events-admin:x'],
  courier: ['alerts'],
};

test.for(USERS)('%s can ask how Redis is set, and change nothing of it', async (user) => {
  const redis = as(user);
  expect(await redis.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  expect(await redis.info('memory')).toContain('maxmemory:');
  for (const command of [
    'FLUSHALL',
    'KEYS *',
    'CONFIG SET appendonly no',
    'ACL LIST',
    'SHUTDOWN',
  ]) {
    const [name = '', ...args] = command.split(' ');
    await expect(redis.call(name, ...args), command).rejects.toThrow('NOPERM');
  }
});
