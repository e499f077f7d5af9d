import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent, Payment, QueueName } from '@kopeck/core/event';
import { jobId, sha256 } from '@kopeck/core/identity';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { openQueue, type EventQueue } from '@kopeck/runtime/queue';
import { openReplay } from '@kopeck/runtime/replay';
import { affiliateEvent, orderEvent, paymentEvent } from '@kopeck/testing/build-event';
import { startRedis } from '@kopeck/testing/private-redis';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { ledgerConfig } from '../src/config.ts';
import { startLedger, type Ledger } from '../src/start-ledger.ts';
import { openBooks, RATES, type Books } from './books.ts';

const TOKEN = 'a-token-that-reads-the-whole-ledger-0001';
const USER_TOKEN = 'a-token-that-reads-users-balances-0002';

let books: Books;
let redis: Redis;
let prefix: string;
let ledger: Ledger;
const queues = new Map<QueueName, EventQueue>();

function configured(more: Record<string, string> = {}) {
  return loadConfig(ledgerConfig, {
    HOST: '127.0.0.1',
    LEDGER_PORT: '0',
    LEDGER_METRICS_PORT: '0',
    DATABASE_URL: books.url,
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: prefix,
    LEDGER_API_TOKEN: TOKEN,
    REPORT_HOUR: 'off',
    LEDGER_USER_API_TOKEN: USER_TOKEN,
    ...RATES,
    ...more,
  });
}

function start(more: Record<string, string> = {}): Promise<Ledger> {
  return startLedger({ config: configured(more), log: noLog, now: () => new Date() });
}

beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
  ({ prefix } = createTestRedis(inject('redisUrl')));
  redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  ledger = await start();
});

afterAll(async () => {
  await ledger.close();
  for (const queue of queues.values()) await queue.close();
  redis.disconnect();
  await books.close();
});

async function publish(name: QueueName, ...events: readonly KopeckEvent[]): Promise<void> {
  const queue = queues.get(name) ?? openQueue(name, redis, prefix);
  queues.set(name, queue);
  await queue.publish(events);
}

function get(path: string, token = TOKEN): Promise<Response> {
  return fetch(`${ledger.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

async function booked(id: string): Promise<Record<string, unknown>> {
  const path = `/api/ledger/events/${id}`;
  await waitFor(async () => (await get(path)).status === 200, { timeoutMs: 30_000 });
  return (await (await get(path)).json()) as Record<string, unknown>;
}

async function balanceOf(account: string): Promise<unknown> {
  return (await get(`/api/ledger/balances/${encodeURIComponent(account)}`)).json();
}

const stars = (paymentId: string, user = '5123'): KopeckEvent =>
  paymentEvent('payment.paid', {
    source: 'telegram',
    paymentId,
    paid: { asset: 'XTR', amount: '150' },
    reference: `{"telegram_id":${user},"amount_ndn":1500}`,
  });

test('a queue keeps the settings of its receiver, and forgets what happened there soon', async () => {
  // Nobody but the ledger has opened it, and it has looked at it.
  expect(await redis.hgetall(`${prefix}:events-epn:meta`)).not.toHaveProperty('opts.maxLenEvents');
  const receiver = openQueue('events-epn', redis, prefix);
  await waitFor(async () => (await redis.exists(`${prefix}:events-epn:meta`)) === 1);
  const replay = openReplay({ redis, prefix });
  await replay.retryFailed();
  await replay.close();
  await receiver.close();
  expect(await redis.hget(`${prefix}:events-epn:meta`, 'opts.maxLenEvents')).toBe('100');
});

test('what is on the queue is booked, and the read API shows it', async () => {
  const event = stars('stx-api');
  await publish('events-crypto', event);

  expect(await booked(event.id)).toMatchObject({
    id: event.id,
    source: 'telegram',
    type: 'payment.paid',
    outcome: 'booked',
    reason: null,
    entry: {
      postings: expect.arrayContaining([
        { account: 'user:5123', asset: 'NDN', amount: '1500' },
      ]) as unknown,
    },
  });
  expect(await balanceOf('user:5123')).toEqual({
    account: 'user:5123',
    balances: [{ asset: 'NDN', amount: '1500' }],
  });
});

test('all that is known of an event is read there: its bytes, what came again, its place, who is told', async () => {
  const body = '{"update_id":1}';
  const raw = { method: 'POST', headers: {}, body: Buffer.from(body).toString('base64') };
  const event = { ...stars('stx-all', '5124'), evidence: JSON.stringify(raw) };
  const { data } = event;
  const money = { asset: 'XTR', amount: '1' };
  const other = paymentEvent('payment.paid', {
    ...(data as Payment),
    source: 'telegram',
    paid: money,
  });
  await publish('events-crypto', event);
  await booked(event.id);
  await publish('events-crypto', event, other);

  const told = await waitFor(async () => {
    const answer = await booked(event.id);
    const { repeats, conflicts } = answer as { repeats: { times: number }; conflicts: unknown[] };
    return repeats.times > 0 && conflicts.length > 0 && answer;
  });
  const [row] = await books.query(`SELECT seq, hash FROM inbox WHERE event_id = '${event.id}'`);
  const [before] = await books.query(
    `SELECT hash FROM inbox WHERE seq = ${row?.['seq']} - 1 UNION SELECT REPEAT('0', 64) LIMIT 1`,
  );
  expect(told).toMatchObject({
    identity: { id: event.id, contenthash: event.contenthash },
    evidence: { sha256: sha256(event.evidence), raw, body },
    repeats: {
      times: 1,
      firstAt: expect.any(String) as string,
      lastAt: expect.any(String) as string,
    },
    conflicts: [{ contenthash: other.contenthash, event: { data: { paid: money } } }],
    chain: { seq: String(row?.['seq']), previous: before?.['hash'], hash: row?.['hash'] },
    reviews: [{ reason: 'conflict', state: 'open' }],
    deliveries: expect.arrayContaining([
      expect.objectContaining({ kind: 'webhook', attempts: 0, doneAt: null }),
      expect.objectContaining({ kind: 'alert', attempts: 0, doneAt: null }),
    ]) as unknown,
  });
});

test('an account that nothing was booked to has an empty list, an unknown event is a 404', async () => {
  expect(await balanceOf('user:nobody')).toEqual({ account: 'user:nobody', balances: [] });
  expect((await get(`/api/ledger/events/${stars('unknown').id}`)).status).toBe(404);
});

test("without a token nothing is read, and the users' token reads users only", async () => {
  expect((await get('/api/ledger/balances/sales', 'wrong')).status).toBe(401);
  expect((await get('/api/ledger/balances/sales', USER_TOKEN)).status).toBe(403);
  expect((await get('/api/ledger/events/x', USER_TOKEN)).status).toBe(403);
  expect((await get('/api/ledger/balances/user:5123', USER_TOKEN)).status).toBe(200);
  const put = await fetch(`${ledger.url}/api/ledger/balances/sales`, { method: 'PUT' });
  expect(put.status).toBe(405);
});

test('garbage and events of another source on a queue are quarantined, and no job ever fails', async () => {
  const forged = affiliateEvent('completed', {
    actionId: 'forged',
    commission: { asset: 'RUB', amount: '9' },
  });
  const queue = new Queue('events-admin', { connection: redis, prefix });
  await queue.add('x', { any: 'thing' });
  await queue.add('x', forged, { jobId: jobId(forged) });
  const after = orderEvent('sbp', { orderId: 'after-the-garbage' });
  await publish('events-sbp', after);
  await booked(after.id);

  await waitFor(
    async () =>
      (await books.query("SELECT 1 FROM inbox WHERE outcome = 'quarantined'")).length === 2,
    {
      timeoutMs: 30_000,
    },
  );
  expect((await get(`/api/ledger/events/${forged.id}`)).status).toBe(404);
  expect(await queue.getJobCounts('failed', 'wait', 'active')).toEqual({
    failed: 0,
    wait: 0,
    active: 0,
  });
  await queue.close();
});

test('a repeat that reaches the queue after the first was booked books nothing', async () => {
  const event = stars('stx-twice', '77');
  await publish('events-crypto', event);
  await booked(event.id);
  await publish('events-crypto', event);
  const next = stars('stx-next', '78');
  await publish('events-crypto', next);
  await booked(next.id);
  expect(await balanceOf('user:77')).toMatchObject({
    balances: [{ asset: 'NDN', amount: '1500' }],
  });
});

test('a second ledger beside the first books nothing twice', async () => {
  const second = await start();
  const events = Array.from({ length: 300 }, (_, index) => stars(`stx-many-${index}`, '900'));
  await publish('events-crypto', ...events);
  await waitFor(
    async () => {
      const [row] = await books.query(
        "SELECT COUNT(*) AS n FROM inbox WHERE subject LIKE '%stx-many-%'",
      );
      return Number(row?.['n']) === 300;
    },
    { everyMs: 100, what: 'all of them to be booked' },
  );
  await second.close();
  expect(await balanceOf('user:900')).toMatchObject({ balances: [{ amount: '450000' }] });
});

test('a Redis that forgets is refused', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-redis-'));
  const forgetful = await startRedis({
    dir,
    password: 'pw',
    extraArgs: ['--appendfsync', 'everysec'],
  });
  try {
    const starting = start({ REDIS_URL: forgetful.url });
    await expect(starting).rejects.toThrow(/appendfsync is 'everysec' and must be 'always'/);
  } finally {
    await forgetful.stop();
    await rm(dir, { recursive: true });
  }
});
