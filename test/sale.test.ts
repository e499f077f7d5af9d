import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { eventId } from '@kopeck/core/identity';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { migrate } from '@kopeck/runtime/migrate';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { openCryptoPay } from '@kopeck/sandbox/crypto-pay/crypto-pay';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { run as reconcile } from '../cli/src/commands/reconcile.ts';
import { contextWith } from '../cli/test/context.ts';
import { courierConfig } from '../services/courier/src/config.ts';
import { startCourier } from '../services/courier/src/start-courier.ts';
import { startReceiver, type Receiver } from '../services/courier/test/receiver.ts';
import { cryptoConfig } from '../services/crypto/src/config.ts';
import { sign } from '../services/crypto/src/balance/init-data.ts';
import { orderKey } from '../services/crypto/src/open-orders.ts';
import { startCrypto } from '../services/crypto/src/start-crypto.ts';
import { ledgerConfig } from '../services/ledger/src/config.ts';
import { startLedger } from '../services/ledger/src/start-ledger.ts';
import { SECRETS } from './rig/secrets.ts';

type Json = Record<string, unknown>;

const API_TOKEN = 'the-token-of-the-shop-itself-0123456789';
const USER_TOKEN = 'a-token-that-reads-users-balances-0002';
const FULFILMENT = `whsec_${Buffer.from('what the bot of the shop verifies with').toString('base64')}`;

const MINUTE_MS = 60_000;

let shop: Receiver;
/** How far the partners' clock is behind ours. */
let sandboxBehindMs = 0;
let sandboxUrl: string;
let cryptoUrl: string;
let ledgerUrl: string;
let redis: Redis;
let redisPrefix: string;
const closing: (() => Promise<unknown>)[] = [];

/** crypto, ledger and courier as they run, with the sandbox's partners and the shop's own bot. */
beforeAll(async () => {
  const database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-sale-'));
  shop = await startReceiver(FULFILMENT);
  const apps = [
    { token: SECRETS.CRYPTOBOT_TOKEN, network: 'main' },
    { token: SECRETS.CRYPTOBOT_TESTNET_TOKEN, network: 'test' },
  ] as const;
  const bot = {
    token: SECRETS.TELEGRAM_BOT_TOKEN,
    secret: SECRETS.TELEGRAM_WEBHOOK_SECRET,
    webhookUrl: null,
  };
  const sandbox = createSandbox({
    doubles: [openCryptoPay({ apps, webhookUrl: null }), openBotApi(bot)],
    now: () => new Date(Date.now() - sandboxBehindMs),
  });
  sandboxUrl = await sandbox.listen(0);

  const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
  redis = new Redis(REDIS_URL);
  redisPrefix = REDIS_PREFIX;
  const ports = ['CRYPTO', 'LEDGER', 'COURIER'].flatMap((name) => [
    [`${name}_PORT`, '0'],
    [`${name}_METRICS_PORT`, '0'],
  ]);
  const env = {
    ...SECRETS,
    ...(Object.fromEntries(ports) as Record<string, string>),
    DATABASE_URL: database.url,
    REDIS_URL,
    REDIS_PREFIX,
    JOURNAL_DIR: dir,
    CRYPTO_API_TOKEN: API_TOKEN,
    LEDGER_USER_API_TOKEN: USER_TOKEN,
    CRYPTOBOT_API_URL: `${sandboxUrl}/crypto-pay/api`,
    CRYPTOBOT_TESTNET_API_URL: `${sandboxUrl}/crypto-pay/api`,
    TELEGRAM_API_URL: `${sandboxUrl}/telegram`,
    FULFILMENT_URL: shop.url,
    FULFILMENT_SECRET: FULFILMENT,
  };
  const now = (): Date => new Date();
  const ledger = await startLedger({ config: loadConfig(ledgerConfig, env), log: noLog, now });
  const withLedger = { ...env, LEDGER_URL: ledger.url };
  const crypto = await startCrypto(loadConfig(cryptoConfig, withLedger), noLog);
  const courier = await startCourier({ config: loadConfig(courierConfig, env), log: noLog, now });
  ledgerUrl = ledger.url;
  cryptoUrl = crypto.url;
  closing.push(crypto.close, courier.close, ledger.close, sandbox.close, shop.close);
  closing.push(
    async () => redis.disconnect(),
    database.drop,
    () => rm(dir, { recursive: true }),
  );
  await webhooks(true);
});

afterAll(async () => {
  for (const close of closing) await close();
});

async function call(url: string, body?: Json, method = 'POST'): Promise<Json> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_TOKEN}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Json;
}

const sandbox = (path: string, body: Json, method?: string): Promise<Json> =>
  call(`${sandboxUrl}/__sandbox/${path}`, body, method);

async function webhooks(come: boolean): Promise<void> {
  const urlOf = (path: string): string | null => (come ? `${cryptoUrl}/webhook/${path}` : null);
  await sandbox('crypto-pay/knobs', { webhookUrl: urlOf('cryptobot') }, 'PATCH');
  await sandbox('bot/knobs', { webhookUrl: urlOf('telegram') }, 'PATCH');
}

async function account(user: number): Promise<unknown> {
  const headers = { authorization: `Bearer ${USER_TOKEN}` };
  const parts = ['balances', 'subscriptions'].map(async (what) => {
    const response = await fetch(`${ledgerUrl}/api/ledger/${what}/user:${user}`, { headers });
    return ((await response.json()) as Json)[what];
  });
  return Promise.all(parts);
}

/** What the user was told, and what the shop's bot was. */
async function told(user: number): Promise<readonly string[]> {
  const response = await fetch(`${sandboxUrl}/__sandbox/bot/messages`);
  const all = (await response.json()) as { chat: { id: number }; text: string }[];
  return all.filter(({ chat }) => chat.id === user).map(({ text }) => text);
}

const calls = (): readonly string[] => shop.calls.map(({ type }) => type);
const NDN_1500 = { asset: 'NDN', amount: '1500' };

test('Stars: from the invoice to the balance, the message and the signed call; and all the way back', async () => {
  const sold = await call(`${cryptoUrl}/api/stars/invoice`, { user: 501, ndn: 1500 });
  const { payment } = await sandbox('bot/pay', { user: 501, link: sold['url'] });
  await waitFor(async () => {
    expect(await account(501)).toEqual([[NDN_1500], []]);
    return true;
  });
  await waitFor(async () => (await told(501)).includes('Зачислено 1500 NDN.'));
  await waitFor(() => calls().includes('payment.paid'));

  const { chargeId } = payment as { chargeId: string };
  await call(`${cryptoUrl}/api/stars/refund`, { user: 501, chargeId });
  await waitFor(() => calls().includes('payment.refunded'));
  expect(await account(501)).toEqual([[{ asset: 'NDN', amount: '0' }], []]);
  expect(shop.forged()).toBe(0);
});

test('CryptoBot: a plan whose webhook is lost runs after one reconciliation, and a late webhook adds nothing', async () => {
  await webhooks(false);
  const body = { user: 502, plan: 'pro-30' };
  const { invoiceId } = await call(`${cryptoUrl}/api/crypto/invoice`, body);
  await sandbox('crypto-pay/pay', { invoice_id: Number(invoiceId) });
  await call(`${cryptoUrl}/api/crypto/reconcile`);
  const running = await waitFor(async () => {
    const [, plans] = (await account(502)) as [unknown, Json[]];
    return plans.length === 1 ? plans : null;
  });

  await webhooks(true);
  const late = await sandbox('crypto-pay/pay', { invoice_id: Number(invoiceId) });
  expect(late['delivery']).toMatchObject({ status: 200 });
  await waitFor(() => calls().includes('subscription.updated'));
  await waitFor(async () => (await told(502)).length === 1);
  const paid = (): readonly string[] => calls().filter((type) => type === 'payment.paid');
  await waitFor(() => paid().length >= 2, { what: 'the call about the second payment' });
  expect(await account(502)).toEqual([[], running]);
  expect(paid()).toHaveLength(2);
});

/** As Telegram signs it for the Mini App of this user. */
function ofMiniApp(user: number): { headers: { authorization: string } } {
  const fields: [string, string][] = [
    ['auth_date', String(Math.floor(Date.now() / 1_000))],
    ['user', JSON.stringify({ id: user, language_code: 'ru' })],
  ];
  const hash = sign(fields, SECRETS.TELEGRAM_BOT_TOKEN).toString('hex');
  const initData = new URLSearchParams([...fields, ['hash', hash]]).toString();
  return { headers: { authorization: `tma ${initData}` } };
}

test("a Mini App sees what was just paid, in its stream and in the ledger's balance", async () => {
  const balance = async (): Promise<unknown> =>
    (await fetch(`${cryptoUrl}/api/balance`, ofMiniApp(504))).json();
  expect(await balance()).toEqual({ user: '504', balances: [], subscriptions: [] });
  const asked = { method: 'POST', ...ofMiniApp(504) };
  const { ticket } = (await (await fetch(`${cryptoUrl}/api/balance/ticket`, asked)).json()) as Json;
  const stopping = new AbortController();
  const { signal } = stopping;
  const stream = await fetch(`${cryptoUrl}/api/balance/stream?ticket=${String(ticket)}`, {
    signal,
  });
  let text = '';
  const reading = (async () => {
    for await (const chunk of stream.body ?? [])
      text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => undefined);
  await waitFor(() => text.includes('"balances":[]'));

  const sold = await call(`${cryptoUrl}/api/stars/invoice`, { user: 504, ndn: 1500 });
  await sandbox('bot/pay', { user: 504, link: sold['url'] });
  // A second is what it takes; the machine may have much else to do.
  await waitFor(() => text.includes(JSON.stringify([NDN_1500])), { timeoutMs: 5_000 });
  expect(await balance()).toEqual({ user: '504', balances: [NDN_1500], subscriptions: [] });
  stopping.abort();
  await reading;
});

/** The webhook of a payment in Stars, told by nobody's double: update ids and charges are the test's own. */
async function tellOfStars(charge: string, user: number, stars: number): Promise<void> {
  const payment = {
    currency: 'XTR',
    total_amount: stars,
    invoice_payload: JSON.stringify({ telegram_id: user, amount_ndn: stars * 10 }),
    telegram_payment_charge_id: charge,
  };
  const message = { date: 1_791_206_105, from: { id: user }, successful_payment: payment };
  const response = await fetch(`${cryptoUrl}/webhook/telegram`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-telegram-bot-api-secret-token': SECRETS.TELEGRAM_WEBHOOK_SECRET,
    },
    body: JSON.stringify({ update_id: 1, message }),
  });
  expect(response.status).toBe(200);
}

test('two charges under one update id are two payments', async () => {
  for (const charge of ['stx-one', 'stx-two', 'stx-one']) await tellOfStars(charge, 505, 5);
  await waitFor(async () => {
    expect(await account(505)).toEqual([[{ asset: 'NDN', amount: '100' }], []]);
    return true;
  });
});

test('a payment that an affiliate had a share of waits for its amount, which a late webhook tells', async () => {
  await webhooks(false);
  const payload = JSON.stringify({ telegram_id: 506, amount_ndn: 1000 });
  const bought = { user: 506, stars: 100, payload, affiliate: 10, recurring: 'renewal' };
  const { payment } = await sandbox('bot/pay', bought);
  const { chargeId } = payment as { chargeId: string };
  await call(`${cryptoUrl}/api/crypto/reconcile`);
  const id = eventId('telegram', 'payment.paid', [
    SECRETS.TELEGRAM_BOT_TOKEN.split(':')[0] ?? '',
    chargeId,
  ]);
  const headers = { authorization: `Bearer ${SECRETS.LEDGER_API_TOKEN}` };
  await waitFor(async () => {
    const response = await fetch(`${ledgerUrl}/api/ledger/events/${id}`, { headers });
    expect(await response.json()).toMatchObject({ outcome: 'review', reason: 'amount-unknown' });
    return true;
  });
  expect(await account(506)).toEqual([[], []]);

  await webhooks(true);
  await tellOfStars(chargeId, 506, 100);
  await waitFor(async () => {
    expect(await account(506)).toEqual([[{ asset: 'NDN', amount: '1000' }], []]);
    return true;
  });
});

test('an order id that was used once never pays for other terms', async () => {
  const sell = (body: Json): Promise<Json> => call(`${cryptoUrl}/api/crypto/invoice`, body);
  const refused = { user: 503, orderId: 'kp_refused-once', ndn: 5, asset: 'NOPE', amount: '1' };
  expect(await sell(refused)).toMatchObject({ error: 'refused' });
  expect(await sell({ ...refused, asset: 'TON' })).toMatchObject({ error: 'order_exists' });

  const order = { user: 503, orderId: 'kp_expired-once', ndn: 5, asset: 'TON', amount: '1' };
  await sell(order);
  // As its expiry does.
  await redis.del(orderKey(redisPrefix, order.orderId));
  expect(await sell({ ...order, ndn: 5_000 })).toMatchObject({ error: 'order_exists' });
  const { invoiceId, grants } = await sell(order);
  await sandbox('crypto-pay/pay', { invoice_id: Number(invoiceId) });
  await waitFor(async () => ((await account(503)) as [Json[], Json[]])[0].length > 0);
  expect(grants).toMatchObject([{ amount: '5' }]);
  expect(await account(503)).toEqual([[{ asset: 'NDN', amount: '5' }], []]);
});

/** What a user buys in a minute: NDN for Stars, and a plan at CryptoBot. */
async function buyUnheard(user: number): Promise<void> {
  const stars = JSON.stringify({ telegram_id: user, amount_ndn: 50 });
  // Nobody is asked about a renewal, so that it is paid although nobody answers.
  await sandbox('bot/pay', { user, stars: 5, payload: stars, recurring: 'renewal' });
  const plan = JSON.stringify({ user_id: user, plan: 'pro-30', days: 30 });
  await sandbox('crypto-pay/send', { invoice_id: user, payload: plan });
}

test('with every webhook dropped for an hour, all payments are booked within one run of kopeck reconcile', async () => {
  await webhooks(false);
  const users = Array.from({ length: 60 }, (_, minute) => 600_000 + minute);
  for (const [minute, user] of users.entries()) {
    sandboxBehindMs = (60 - minute) * MINUTE_MS;
    await buyUnheard(user);
  }
  sandboxBehindMs = 0;
  const context = contextWith({ CRYPTO_URL: cryptoUrl, CRYPTO_API_TOKEN: API_TOKEN });
  expect(await reconcile([], context)).toBe(0);
  expect(context.said).toEqual([
    expect.stringMatching(
      /^cryptobot:31337:main: done, \d+ new in the list, 60 without a webhook$/,
    ),
    'cryptobot:40400:test: done, 0 new in the list, 0 without a webhook',
    expect.stringMatching(/^telegram:7000000001: done, \d+ new in the list, 60 without a webhook$/),
  ]);
  const bought = [[{ asset: 'NDN', amount: '50' }], [{ plan: 'pro-30' }]];
  for (const user of users) {
    await waitFor(async () => {
      expect(await account(user)).toMatchObject(bought);
      return true;
    });
  }

  await webhooks(true);
  await buyUnheard(users[0] ?? 0);
  const again = contextWith({ CRYPTO_URL: cryptoUrl, CRYPTO_API_TOKEN: API_TOKEN });
  expect(await reconcile([], again)).toBe(0);
  expect(again.said.join()).toMatch(
    /main: done, 0 new.*telegram.*: done, 1 new in the list, 0 without/,
  );
});
