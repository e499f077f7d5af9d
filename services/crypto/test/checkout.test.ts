import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { waitFor } from '@kopeck/testing/wait-for';
import { orderKey } from '../src/open-orders.ts';
import { fixture } from './partners.ts';
import { ask, CREDENTIALS, postTelegram, runCrypto, type RunningCrypto } from './running-crypto.ts';

const PREFIX = '{kopeck}';
const ORDER = 'kp_01K9ZD1H7V3A';
const QUERY = fixture('tg-pre-checkout-query.json');
const QUERY_ID = '22005083712345678';

let dir: string;
let redisServer: PrivateRedis;
let redis: Redis;
let crypto: RunningCrypto;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-checkout-'));
  redisServer = await startRedis({ dir, password: 'checkout' });
  redis = new Redis(redisServer.url);
  redis.on('error', () => undefined);
  crypto = await runCrypto({ ...CREDENTIALS, REDIS_URL: redisServer.url });
});

afterAll(async () => {
  await crypto.close();
  redis.disconnect();
  await redisServer.stop();
  await rm(dir, { recursive: true });
});

/** The fixture's question with other fields. */
function question(change: object, from: object = {}): string {
  const update = JSON.parse(QUERY.toString()) as {
    pre_checkout_query: { from: object };
  };
  Object.assign(update.pre_checkout_query.from, from);
  Object.assign(update.pre_checkout_query, change);
  return JSON.stringify(update);
}

async function answerTo(change: object, from: object = {}): Promise<unknown> {
  const { status, body } = await postTelegram(crypto, question(change, from));
  expect(status).toBe(200);
  return body;
}

/** For so long Telegram waits. */
const TELEGRAM_WAITS_MS = 10_000;

async function answerInTime(change: object): Promise<unknown> {
  const begun = performance.now();
  const answer = await answerTo(change);
  expect(performance.now() - begun).toBeLessThan(TELEGRAM_WAITS_MS);
  return answer;
}

const YES = { method: 'answerPreCheckoutQuery', pre_checkout_query_id: QUERY_ID, ok: true };
const no = (error_message: string): object => ({ ...YES, ok: false, error_message });

const UNAVAILABLE = no('Оплата временно недоступна. Попробуйте через минуту.');
const CLOSED = no('Заказ уже закрыт. Создайте новый счёт.');
const OTHER_PRICE = no('Цена заказа изменилась. Создайте новый счёт.');
const NOT_VALID = no('Этот счёт недействителен. Создайте новый счёт.');

function keepOrder(id: string, order: object | string): Promise<unknown> {
  const text = typeof order === 'string' ? order : JSON.stringify(order);
  return redis.set(orderKey(PREFIX, id), text);
}

describe('a payment whose payload says what it credits', () => {
  test('may go ahead', async () => {
    expect((await postTelegram(crypto, QUERY)).body).toEqual(YES);
  });

  test('is a call that Telegram understands: JSON, 200, nothing else', async () => {
    const reply = await postTelegram(crypto, QUERY);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
  });

  test.each([
    ['of another amount', { total_amount: 149, invoice_payload: payload({ amount_ndn: 1600 }) }],
    ['of no stars', { total_amount: 0 }],
    ['of less than none', { total_amount: -150 }],
    ['of half a star', { total_amount: 150.5 }],
    ['in dollars', { currency: 'USD' }],
    ['for a group', { invoice_payload: payload({ telegram_id: -1001234567890 }) }],
    ['for less than nothing', { invoice_payload: payload({ amount_ndn: -5 }) }],
    ['for a fortune', { invoice_payload: '{"telegram_id":5123456789,"amount_ndn":1e21}' }],
    ['with the plain text of other code', { invoice_payload: 'premium_month' }],
    ['without a payload', { invoice_payload: '' }],
  ])('may not %s', async (_what, change) => {
    expect(await answerTo(change)).toEqual(NOT_VALID);
  });

  test.each([
    ['a text', { total_amount: '150' }],
    ['1 % off the rate', { invoice_payload: payload({ amount_ndn: 1485 }) }],
    ['a gift to somebody else', { invoice_payload: payload({ telegram_id: 777 }) }],
  ])('may be %s', async (_what, change) => {
    expect(await answerTo(change)).toEqual(YES);
  });

  test.each([
    ['en', 'This invoice is not valid. Please create a new one.'],
    ['pt-BR', 'This invoice is not valid. Please create a new one.'],
    ['ru-RU', 'Этот счёт недействителен. Создайте новый счёт.'],
    [undefined, 'Этот счёт недействителен. Создайте новый счёт.'],
  ])('is refused in the language of the payer, %s', async (language_code, text) => {
    const answer = await answerTo({ invoice_payload: 'x' }, { language_code });
    expect(answer).toEqual(no(text));
  });
});

describe('the payment of an order of ours', () => {
  const price = { asset: 'XTR', amount: '150' };
  const asked = { invoice_payload: ORDER };

  test('may go ahead while the order is open at that price', async () => {
    await keepOrder(ORDER, { price, open: true });
    expect(await answerTo(asked)).toEqual(YES);
  });

  test.each([
    ['closed', { price, open: false }, CLOSED],
    ['of another price', { price: { asset: 'XTR', amount: '151' }, open: true }, OTHER_PRICE],
    ['in another coin', { price: { asset: 'USDT', amount: '150' }, open: true }, OTHER_PRICE],
    ['no order', { open: true }, CLOSED],
    ['no JSON', 'open', CLOSED],
  ])('may not when the order is %s', async (_what, order, expected) => {
    await keepOrder(ORDER, order);
    expect(await answerTo(asked)).toEqual(expected);
  });

  test('may not when nobody knows the order', async () => {
    expect(await answerTo({ invoice_payload: 'kp_nobody' })).toEqual(CLOSED);
  });

  test('may not while Redis hangs, and the answer does not wait for it', async () => {
    await keepOrder(ORDER, { price, open: true });
    await redisServer.pause();
    try {
      // A hanging command would wait for ever.
      expect(await answerInTime(asked)).toEqual(UNAVAILABLE);
      expect(await answerInTime({})).toEqual(YES);
    } finally {
      redisServer.resume();
    }
  });

  test('may not while Redis is stopped; what needs no look-up goes on', async () => {
    await keepOrder(ORDER, { price, open: true });
    await redisServer.stop();
    try {
      expect(await answerInTime(asked)).toEqual(UNAVAILABLE);
      expect(await answerInTime({})).toEqual(YES);
      const paid = await postTelegram(crypto, fixture('tg-successful-payment.json'));
      expect(paid).toMatchObject({ status: 200, body: { status: 'accepted' } });
    } finally {
      await redisServer.restart();
    }
    await waitFor(async () => {
      expect(await answerTo(asked)).toEqual(YES);
      return true;
    });
  });
});

describe('when nothing more can be journaled', () => {
  test('no payment may go ahead, and none is taken', async () => {
    const full = await runCrypto({
      ...CREDENTIALS,
      REDIS_URL: 'redis://127.0.0.1:1/0',
      JOURNAL_MAX_BYTES: '65536',
    });
    try {
      const refused = await fill(full);
      expect(refused).toMatchObject({ status: 503, body: { error: 'unavailable' } });
      expect(refused.headers.get('retry-after')).toBe('30');
      expect((await postTelegram(full, QUERY)).body).toEqual(UNAVAILABLE);
      const { body } = await ask(`${full.metricsUrl}/ready`);
      expect(body).toMatchObject({ ready: false, checks: { journal: false } });
    } finally {
      await full.close();
    }
  });
});

/** Sends payments until one is refused. */
async function fill(to: RunningCrypto): ReturnType<typeof postTelegram> {
  const text = fixture('tg-successful-payment.json').toString();
  for (let count = 0; count < 1_000; count += 1) {
    const reply = await postTelegram(to, text.replace('"stx', `"st${count}`));
    if (reply.status !== 200) return reply;
  }
  throw new Error('the journal has no cap');
}

function payload(change: object): string {
  return JSON.stringify({ telegram_id: 5123456789, amount_ndn: 1500, ...change });
}
