import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Observation } from '@kopeck/runtime/observe';
import { noLog } from '@kopeck/runtime/log';
import { openQueue } from '@kopeck/runtime/queue';
import { createClosing } from '@kopeck/runtime/shutdown';
import { affiliateEvent, paymentEvent } from '@kopeck/testing/build-event';
import { createTestRedis } from '@kopeck/testing/test-database';
import { observationsOf } from '../src/observations.ts';
import { openBooks, type Books } from './books.ts';

const HOUR = 3_600_000;
const STARTED = Date.now();
let clock = STARTED;
let books: Books;
let redis: Redis;
let prefix: string;
let observations: readonly Observation[];
const closing = createClosing(noLog);

beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
  const own = createTestRedis(inject('redisUrl'));
  redis = new Redis(own.url, { maxRetriesPerRequest: null });
  prefix = own.prefix;
  observations = observationsOf({
    config: {
      REDIS_PREFIX: prefix,
      AUDIT_HOUR: '0',
      QUEUE_LATE_MINUTES: 5,
      PARTNER_SILENT_HOURS: 'telegram:48, epn:2',
    },
    redis,
    pool: books.pool,
    log: noLog,
    now: () => new Date(clock),
    closing,
  });
});
afterAll(async () => {
  await closing.run();
  redis.disconnect();
  await books.close();
});

async function look(kind: string): Promise<unknown> {
  const observation = observations.find((each) => each.kind === kind);
  if (observation === undefined) throw new Error(`nobody looks at ${kind}`);
  return observation.look();
}

test('a queue whose oldest event has waited too long is late, until it is empty', async () => {
  const queue = openQueue('events-crypto', redis, prefix);
  expect(await look('queue-late:events-crypto')).toBeNull();
  await queue.publish([paymentEvent('payment.paid', { source: 'telegram', paymentId: 'late' })]);
  clock = Date.now() + 60_000;
  expect(await look('queue-late:events-crypto')).toBeNull();
  clock = Date.now() + 301_000;
  expect(await look('queue-late:events-crypto')).toEqual({
    queue: 'events-crypto',
    oldestSeconds: expect.closeTo(301, -1) as number,
  });
  expect(await look('queue-late:events-epn')).toBeNull();
  await redis.del(...(await redis.keys(`${prefix}:events-crypto:*`)));
  expect(await look('queue-late:events-crypto')).toBeNull();
  await queue.close();
  clock = STARTED;
});

test('a partner that was heard, and then not for its hours, is silent; one that was never heard is not', async () => {
  const receivedAt = new Date(STARTED);
  const commission = { asset: 'RUB', amount: '1' };
  await books.book(affiliateEvent('completed', { actionId: 'a-1', commission, receivedAt }));
  clock = STARTED + HOUR;
  expect(await look('partner-silent:epn')).toBeNull();
  clock = STARTED + 3 * HOUR;
  expect(await look('partner-silent:epn')).toEqual({ source: 'epn', hours: 2 });
  expect(await look('partner-silent:telegram')).toBeNull();
  await books.book(
    affiliateEvent('completed', { actionId: 'a-2', commission, receivedAt: new Date(clock) }),
  );
  expect(await look('partner-silent:epn')).toBeNull();
  clock = STARTED;
});

test('books that somebody has changed fail the audit of the next day, and the first bad row is named', async () => {
  expect(await look('audit-failed:books')).toBeNull();
  await books.query('DROP TRIGGER IF EXISTS inbox_no_update');
  await books.query(`UPDATE inbox SET data = REPLACE(data, '"1"', '"2"') WHERE seq = 2`);
  expect(await look('audit-failed:books')).toBeNull();
  clock = STARTED + 24 * HOUR;
  expect(await look('audit-failed:books')).toMatchObject({ place: expect.stringContaining('2') });
});
