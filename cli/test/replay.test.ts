import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { openQueue } from '@kopeck/runtime/queue';
import { affiliateEvent, orderEvent, paymentEvent } from '@kopeck/testing/build-event';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { ledgerConfig } from '../../services/ledger/src/config.ts';
import { startLedger, type Ledger } from '../../services/ledger/src/start-ledger.ts';
import { openBooks, RATES, type Books } from '../../services/ledger/test/books.ts';
import { run as replay } from '../src/commands/replay.ts';
import { contextWith, type Told } from './context.ts';

const PAID = paymentEvent('payment.paid', {
  source: 'cryptobot',
  paymentId: 'again',
  paid: { asset: 'USDT', amount: '5' },
});
const ORDER = orderEvent('sbp', { orderId: 'order-1' });
const ACTION = affiliateEvent('completed', {
  actionId: 'a-1',
  commission: { asset: 'RUB', amount: '10' },
});

let books: Books;
let redis: Redis;
let place: { readonly url: string; readonly prefix: string };
let ledger: Ledger;

beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
  place = createTestRedis(inject('redisUrl'));
  redis = new Redis(place.url, { maxRetriesPerRequest: null });
  ledger = await start();
  await publish('events-crypto', PAID);
  await publish('events-sbp', ORDER);
  await publish('events-epn', ACTION);
  await waitFor(async () => (await books.query('SELECT 1 FROM inbox')).length === 3);
});
afterAll(async () => {
  await ledger.close();
  redis.disconnect();
  await books.close();
});

function start(): Promise<Ledger> {
  const config = loadConfig(ledgerConfig, {
    HOST: '127.0.0.1',
    LEDGER_PORT: '0',
    LEDGER_METRICS_PORT: '0',
    DATABASE_URL: books.url,
    REDIS_URL: place.url,
    REDIS_PREFIX: place.prefix,
    LEDGER_API_TOKEN: 'a-token-that-reads-the-whole-ledger-0001',
    REPORT_HOUR: 'off',
    ...RATES,
  });
  return startLedger({ config, log: noLog, now: () => new Date() });
}

async function publish(name: 'events-sbp' | 'events-crypto' | 'events-epn', event: KopeckEvent) {
  const queue = openQueue(name, redis, place.prefix);
  await queue.publish([event]);
  await queue.close();
}

function context(): Told {
  const { url, prefix } = place;
  return contextWith({ DATABASE_URL: books.url, REDIS_URL: url, REDIS_PREFIX: prefix });
}

/** All that the books are, but how often something came again. */
async function state(): Promise<unknown> {
  const tables = ['inbox', 'postings', 'balances', 'payments', 'orders', 'reviews', 'outbox'];
  return Promise.all([...tables, 'chain_head'].map((name) => books.query(`SELECT * FROM ${name}`)));
}

async function repeats(): Promise<Readonly<Record<string, number>>> {
  const rows = await books.query('SELECT * FROM repeats');
  return Object.fromEntries(rows.map((row) => [String(row['event_id']), Number(row['times'])]));
}

test('one event goes to the ledger once more, as often as one asks, and the books stay as they are', async () => {
  const before = await state();
  // The very same job would be swallowed for as long as the first one waits.
  await ledger.close();
  expect(await replay([PAID.id], context())).toBe(0);
  const told = context();
  expect(await replay([PAID.id], told)).toBe(0);
  expect(told.said).toEqual([`On the way to the ledger again:\n  ${PAID.id}`]);
  ledger = await start();
  await waitFor(async () => (await repeats())[PAID.id] === 2);
  expect(await state()).toEqual(before);
});

test('many go at once, each to its own queue, and one that nobody knows is named', async () => {
  const before = await state();
  const unknown = PAID.id.replace(/.{4}$/, 'ffff');
  const told = context();
  expect(await replay([ORDER.id, unknown, ACTION.id], told)).toBe(1);
  expect(told.said.join('\n')).toContain(
    `Neither in the books nor given up by a queue:\n  ${unknown}`,
  );
  await waitFor(
    async () => (await repeats())[ACTION.id] === 1 && (await repeats())[ORDER.id] === 1,
  );
  expect((await repeats())[unknown]).toBeUndefined();
  expect(await state()).toEqual(before);
});

test('one that is not in the books is booked: a job that a queue has given up, by its id or with all', async () => {
  const lost = ['lost-1', 'lost-2'].map((paymentId) =>
    paymentEvent('payment.paid', {
      source: 'telegram',
      paymentId,
      paid: { asset: 'XTR', amount: '10' },
    }),
  );
  const [first, second] = lost;
  await ledger.close();
  await giveUp(lost);
  ledger = await start();

  expect(await replay([first?.id ?? ''], context())).toBe(0);
  await waitFor(async () => (await booked(first)) === 1);
  expect(await booked(second)).toBe(0);
  const told = context();
  expect(await replay([], told)).toBe(0);
  expect(told.said.at(-1)).toBe(`Given up by the queues, and tried again:\n  ${second?.id}`);
  await waitFor(async () => (await booked(second)) === 1);
});

async function booked(event: KopeckEvent | undefined): Promise<number> {
  const rows = await books.query(`SELECT 1 FROM inbox WHERE event_id = '${event?.id}'`);
  return rows.length;
}

/** Into the failed set, where no event of ours should ever be. */
async function giveUp(events: readonly KopeckEvent[]): Promise<void> {
  const options = { connection: redis, prefix: place.prefix };
  const queue = new Queue('events-crypto', options);
  const refuse = (): Promise<never> => Promise.reject(new Error('given up'));
  const worker = new Worker('events-crypto', refuse, options);
  for (const event of events)
    await queue.add(event.type, event, { jobId: jobId(event), attempts: 1 });
  await waitFor(async () => (await queue.getFailedCount()) === events.length);
  await worker.close();
  await queue.close();
}
