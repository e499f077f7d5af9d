import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import type { EventOf } from '@kopeck/core/event';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { orderKey } from '../src/open-orders.ts';
import { API_TOKEN, BOT_TOKEN } from './partners.ts';
import { ask, CREDENTIALS, runCrypto, type Reply, type RunningCrypto } from './running-crypto.ts';
import { openSandboxPartners, type Json, type SandboxPartners } from './sandbox-partners.ts';

const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
const USER = 5123456789;

let partners: SandboxPartners;
let crypto: RunningCrypto;
let redis: Redis;
let queue: Queue;

beforeAll(async () => {
  partners = await openSandboxPartners();
  crypto = await runCrypto({
    ...CREDENTIALS,
    ...partners.env,
    REDIS_URL,
    REDIS_PREFIX,
    PLANS:
      '{"pro-30":{"asset":"USDT","amount":"4.5","days":30},"star-7":{"asset":"XTR","amount":"70","days":7}}',
  });
  redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
  queue = new Queue('events-crypto', { connection: redis, prefix: REDIS_PREFIX });
});

beforeEach(async () => {
  await partners.control('reset');
  await partners.deliverTo(crypto.url);
});

afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await crypto.close();
  await partners.close();
});

function post(path: string, body: Json, token = API_TOKEN): Promise<Reply> {
  return ask(`${crypto.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
}

async function sell(path: string, body: Json): Promise<Json> {
  const reply = await post(path, body);
  expect(reply).toMatchObject({ status: 200, body: { success: true } });
  return reply.body as Json;
}

async function invoices(): Promise<readonly Json[]> {
  const response = await fetch(`${partners.env['CRYPTOBOT_API_URL']}/getInvoices?count=1000`, {
    headers: { 'crypto-pay-api-token': CREDENTIALS['CRYPTOBOT_TOKEN'] ?? '' },
  });
  const { result } = (await response.json()) as { result: { items: readonly Json[] } };
  return result.items;
}

async function isOpen(orderId: string): Promise<boolean> {
  const order = await redis.get(orderKey(REDIS_PREFIX, orderId));
  return (JSON.parse(order ?? '{}') as Json)['open'] === true;
}

/** The ledger does not run here: every event waits in the queue. */
function published(orderId: unknown): Promise<EventOf<'order.created'>> {
  return waitFor(async () => {
    const jobs = await queue.getJobs(['waiting', 'prioritized', 'delayed']);
    return jobs
      .map(({ data }) => data as EventOf<'order.created'>)
      .find(({ type, data }) => type === 'order.created' && data.orderId === orderId);
  });
}

test('a plan is sold at its price: the order with its grant is published, the invoice carries its id', async () => {
  const sold = await sell('/api/crypto/invoice', { user: USER, plan: 'pro-30' });
  const [invoice] = await invoices();
  expect(invoice).toMatchObject({ payload: sold['orderId'], asset: 'USDT', amount: '4.5' });
  expect(sold).toMatchObject({ url: invoice?.['bot_invoice_url'] });
  expect((await published(sold['orderId'])).data).toEqual({
    orderId: sold['orderId'],
    price: { asset: 'USDT', amount: '4.5' },
    grants: [{ kind: 'subscription', user: String(USER), plan: 'pro-30', days: 30 }],
    user: String(USER),
  });
});

test('a price in a fiat currency, a swap and a test network are asked for as such', async () => {
  const body = { user: USER, ndn: 1500, fiat: 'RUB', amount: '499.00', swapTo: 'USDT' };
  const sold = await sell('/api/crypto/invoice', body);
  expect((await invoices())[0]).toMatchObject({ fiat: 'RUB', amount: '499', swap_to: 'USDT' });
  expect(sold).toMatchObject({ price: { asset: 'RUB', amount: '499' } });
  const onTestnet = { user: USER, ndn: 1, asset: 'JET', amount: 100, network: 'test' };
  const { orderId } = await sell('/api/crypto/invoice', onTestnet);
  expect(await published(orderId)).toMatchObject({ network: 'test' });
});

test('an answer that was lost is looked up, and the same order never gets a second invoice', async () => {
  const orderId = 'kp_lost-answer-0123456789';
  const body = { user: USER, orderId, plan: 'pro-30' };
  await partners.control('crypto-pay/knobs', { answers: 'lose' }, 'PATCH');
  expect(await post('/api/crypto/invoice', body)).toMatchObject({
    status: 503,
    body: { error: 'partner_unanswered', orderId },
  });
  expect(await post('/api/crypto/invoice', body)).toMatchObject({ status: 503 });
  await partners.control('crypto-pay/knobs', { answers: 'give' }, 'PATCH');

  const sold = await sell('/api/crypto/invoice', body);
  expect(await sell('/api/crypto/invoice', body)).toEqual(sold);
  expect(await invoices()).toHaveLength(1);
  const other = await post('/api/crypto/invoice', { ...body, plan: undefined, ndn: 5 });
  expect(other.status).toBe(400);
  const dearer = { user: USER, orderId, ndn: 5, asset: 'USDT', amount: '9' };
  expect(await post('/api/crypto/invoice', dearer)).toMatchObject({
    status: 409,
    body: { error: 'order_exists' },
  });
});

test('what Crypto Pay refuses may be asked for again, and its order id stands for nothing else', async () => {
  const orderId = 'kp_refused-0123456789abc';
  const body = { user: USER, orderId, ndn: 5, asset: 'NOPE', amount: '1' };
  const refused = { status: 422, body: { error: 'refused', reason: 'UNSUPPORTED_ASSET' } };
  expect(await post('/api/crypto/invoice', body)).toMatchObject(refused);
  // The order with its price and its grants is journaled: other terms would never be booked.
  for (const other of [{ asset: 'TON' }, { ndn: 6 }, { user: 77 }, { network: 'test' }]) {
    expect(await post('/api/crypto/invoice', { ...body, ...other })).toMatchObject({
      status: 409,
      body: { error: 'order_exists', orderId },
    });
  }
  expect(await post('/api/crypto/invoice', body)).toMatchObject(refused);
  await sell('/api/crypto/invoice', { ...body, orderId: undefined, asset: 'TON' });
});

test('an order that has expired is sold again on its own terms alone', async () => {
  const orderId = 'kp_expired-0123456789abc';
  const body = { user: USER, orderId, ndn: 5, asset: 'TON', amount: '1' };
  const first = await sell('/api/crypto/invoice', body);
  await redis.del(orderKey(REDIS_PREFIX, orderId));
  expect(await post('/api/crypto/invoice', { ...body, ndn: 5_000 })).toMatchObject({ status: 409 });
  const second = await sell('/api/crypto/invoice', body);
  expect(second['invoiceId']).not.toBe(first['invoiceId']);
});

test('an order can be paid for 31 days, and for no second longer', async () => {
  const body = { user: USER, plan: 'pro-30' };
  const { expiresAt } = await sell('/api/crypto/invoice', { ...body, expiresIn: 2_678_400 });
  expect(Date.parse(String(expiresAt)) - Date.now()).toBeGreaterThan(30 * 86_400_000);
  for (const expiresIn of [2_678_401, 9_999_999, 26_784_000, 9, 0, -60, 1.5]) {
    expect(await post('/api/crypto/invoice', { ...body, expiresIn })).toMatchObject({
      status: 400,
      body: { fields: ['expiresIn'] },
    });
  }
});

test('Stars cost what the rate says, rounded up, and the link is paid once', async () => {
  const sold = await sell('/api/stars/invoice', { user: USER, ndn: '1501' });
  expect(sold).toMatchObject({ price: { asset: 'XTR', amount: '151' } });
  const link = sold['url'];
  const first = await partners.control('bot/pay', { user: USER, link });
  expect(first).toMatchObject({ payment: { delivered: { body: { status: 'accepted' } } } });
  await waitFor(async () => {
    const again = await partners.control('bot/pay', { user: 77, link });
    return (again['checkout'] as Json)['ok'] === false;
  });
});

test('an order of which an answer was lost has two links, and is paid once', async () => {
  const body = { user: USER, orderId: 'kp_lost-link-0123456789ab', ndn: 10 };
  await partners.control('bot/knobs', { answers: 'lose' }, 'PATCH');
  expect(await post('/api/stars/invoice', body)).toMatchObject({
    status: 503,
    body: { error: 'partner_unanswered' },
  });
  await partners.control('bot/knobs', { answers: 'give' }, 'PATCH');
  const sold = await sell('/api/stars/invoice', body);
  expect(await sell('/api/stars/invoice', body)).toEqual(sold);
  const made = (await partners.control('bot/invoices', undefined, 'GET')) as unknown as Json[];
  expect(made).toHaveLength(2);

  const paid = await partners.control('bot/pay', { user: USER, link: sold['url'] });
  expect(paid).toMatchObject({ checkout: { ok: true } });
  await waitFor(async () => !(await isOpen(body.orderId)));
  for (const { link } of made) {
    const again = await partners.control('bot/pay', { user: 77, link });
    expect(again).toMatchObject({ checkout: { ok: false }, payment: null });
  }
  const transactions = await fetch(
    `${partners.env['TELEGRAM_API_URL']}/bot${BOT_TOKEN}/getStarTransactions`,
  );
  const { result } = (await transactions.json()) as { result: { transactions: unknown[] } };
  expect(result.transactions).toHaveLength(1);
  expect(await sell('/api/stars/invoice', body)).toEqual(sold);
});

test('an order that was paid stays closed, also when it is asked for after its expiry', async () => {
  const body = { user: USER, orderId: 'kp_paid-0123456789abcdef', ndn: 10, expiresIn: 10 };
  const { url: link } = await sell('/api/stars/invoice', body);
  await partners.control('bot/pay', { user: USER, link });
  await waitFor(async () => (await redis.ttl(orderKey(REDIS_PREFIX, body.orderId))) > 86_400);
  expect(await isOpen(body.orderId)).toBe(false);
});

test('a link whose payment was found in the list alone is not paid again either', async () => {
  const sold = await sell('/api/stars/invoice', { user: USER, ndn: '10' });
  // The question is answered; the payment is told to nobody.
  const link = sold['url'];
  await partners.control('bot/knobs', { allowedUpdates: ['pre_checkout_query'] }, 'PATCH');
  expect(await partners.control('bot/pay', { user: USER, link })).toMatchObject({
    payment: { delivered: null },
  });
  await post('/api/crypto/reconcile', {});
  await waitFor(async () => {
    const again = await partners.control('bot/pay', { user: 77, link });
    return (again['checkout'] as Json)['ok'] === false;
  });
});

test('a plan of seven days in Stars, and a subscription that Telegram renews', async () => {
  expect(await sell('/api/stars/invoice', { user: USER, plan: 'star-7' })).toMatchObject({
    price: { asset: 'XTR', amount: '70' },
    grants: [{ kind: 'subscription', user: String(USER), plan: 'star-7', days: 7 }],
  });
  const renewed = { user: USER, ndn: 100, stars: 499, subscription: true, title: 'Pro' };
  await sell('/api/stars/invoice', renewed);
  const made = (await partners.control('bot/invoices', undefined, 'GET')) as unknown as Json[];
  expect(made.at(-1)).toMatchObject({ title: 'Pro', stars: 499, isSubscription: true });
});

test.each<[string, Json]>([
  ['no user', { plan: 'pro-30' }],
  ['a group as user', { user: -100, plan: 'pro-30' }],
  ['nothing to grant', { user: USER, asset: 'USDT', amount: '1' }],
  ['an unknown plan', { user: USER, plan: 'nope' }],
  ['a plan that is sold in Stars', { user: USER, plan: 'star-7' }],
  ['no price', { user: USER, ndn: 5 }],
  ['a price of nothing', { user: USER, ndn: 5, asset: 'USDT', amount: '0.00' }],
  ['a price below nothing', { user: USER, ndn: 5, asset: 'USDT', amount: '-1' }],
  ['a price with an exponent', { user: USER, ndn: 5, asset: 'USDT', amount: '1e3' }],
  ['both kinds of price', { user: USER, ndn: 5, asset: 'USDT', fiat: 'RUB', amount: '1' }],
  ['an order id that is not ours', { user: USER, plan: 'pro-30', orderId: 'order-1' }],
  ['a key that does not exist', { user: USER, plan: 'pro-30', price: 1 }],
  [
    'an asset of others granted',
    {
      user: USER,
      asset: 'USDT',
      amount: '1',
      grants: [{ kind: 'credit', user: '5', asset: 'USDT', amount: '1' }],
    },
  ],
])('%s is a 400 that names the field and no value', async (_what, body) => {
  const reply = await post('/api/crypto/invoice', body);
  expect(reply).toMatchObject({ status: 400, body: { error: 'invalid' } });
  expect(await invoices()).toEqual([]);
});

test('only a token of ours may sell, and no token of ours leaves the service', async () => {
  const reply = await post('/api/stars/invoice', { user: USER, ndn: 10 }, BOT_TOKEN);
  expect(reply).toMatchObject({ status: 401, body: { error: 'unauthorized' } });
  expect((await ask(`${crypto.url}/api/stars/invoice`)).status).toBe(405);
  const unconfigured = await runCrypto({ REDIS_URL, REDIS_PREFIX });
  const url = `${unconfigured.url}/api/crypto/invoice`;
  expect((await ask(url, { method: 'POST' })).status).toBe(503);
  await unconfigured.close();
});
