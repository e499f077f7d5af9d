import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { waitFor } from '@kopeck/testing/wait-for';
import { listenTo, type Listener } from './listener.ts';

const TOKEN = '7000000001:AAbotTokenForUnitTestsOnly_0123456789';
const SECRET = 'test_Secret-123';
const NOW = new Date('2026-10-05T13:15:05.000Z');
const USER = 5123456789;

type Json = Record<string, unknown>;

let sandbox: Sandbox;
let origin: string;
let shop: Listener;

/** What the shop's webhook answers a question with. */
let answer: (query: Json) => string | Promise<string>;

const yes = ({ id }: Json): string =>
  JSON.stringify({ method: 'answerPreCheckoutQuery', pre_checkout_query_id: id, ok: true });

beforeEach(async () => {
  answer = yes;
  shop = await listenTo(200, (body) => {
    const { pre_checkout_query: query } = JSON.parse(body) as { pre_checkout_query?: Json };
    return query === undefined ? '{}' : answer(query);
  });
  const double = openBotApi({ token: TOKEN, secret: SECRET, webhookUrl: shop.url });
  sandbox = createSandbox({ doubles: [double], now: () => NOW });
  origin = await sandbox.listen(0);
});
afterEach(async () => {
  await sandbox.close();
  await shop.close();
});

async function post(path: string, body: Json, method: 'POST' | 'PATCH' = 'POST'): Promise<Json> {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const retryAfter = response.headers.get('retry-after');
  return { http: response.status, retryAfter, ...((await response.json()) as Json) };
}

const call = (method: string, params: Json = {}): Promise<Json> =>
  post(`/telegram/bot${TOKEN}/${method}`, params);
const control = (path: string, body: Json, method?: 'PATCH'): Promise<Json> =>
  post(`/__sandbox/bot/${path}`, body, method);

/** What the shop heard: each update's content, and whether the secret came with it. */
function heard(): Json[] {
  return shop.requests.map(({ headers, body }) => {
    expect(headers['x-telegram-bot-api-secret-token']).toBe(SECRET);
    return JSON.parse(body) as Json;
  });
}

test('the token opens the API, another one does not', async () => {
  expect(await call('getMe')).toMatchObject({ ok: true, result: { id: 7000000001, is_bot: true } });
  expect(await post('/telegram/bot1:x/getMe', {})).toMatchObject({ http: 401, ok: false });
  expect(await call('getMine')).toMatchObject({ http: 404, ok: false });
  expect(await call('constructor')).toMatchObject({ http: 404, ok: false });
});

describe('a purchase', () => {
  test('is asked about, paid, and told', async () => {
    const payload = '{"telegram_id":5123456789,"amount_ndn":1500}';
    const { checkout, payment } = await control('pay', { user: USER, stars: 150, payload });
    expect(checkout).toMatchObject({ ok: true });

    const [question, told] = heard();
    expect(question).toMatchObject({
      pre_checkout_query: { currency: 'XTR', total_amount: 150, invoice_payload: payload },
    });
    const { chargeId } = payment as { chargeId: string };
    expect(chargeId.length).toBeGreaterThan(128);
    expect(told).toMatchObject({
      message: {
        from: { id: USER },
        date: 1791206105,
        successful_payment: {
          currency: 'XTR',
          total_amount: 150,
          invoice_payload: payload,
          telegram_payment_charge_id: chargeId,
        },
      },
    });
  });

  test.each([
    ['says no', ({ id }: Json) => yes({ id }).replace('true', 'false')],
    ['answers another question', () => yes({ id: '1' })],
    ['says nothing', () => '{}'],
    ['says no JSON', () => 'ok'],
  ])('ends where the bot %s', async (_what, how) => {
    answer = how;
    const result = await control('pay', { user: USER, stars: 1 });
    expect(result['payment']).toBeNull();
    expect(heard()).toHaveLength(1);
    expect((await call('getStarTransactions'))['result']).toEqual({ transactions: [] });
  });

  test('goes ahead where the bot answers by a call of its own', async () => {
    answer = async ({ id }) => {
      await call('answerPreCheckoutQuery', { pre_checkout_query_id: id, ok: true });
      return '{}';
    };
    expect((await control('pay', { user: USER, stars: 1 }))['payment']).not.toBeNull();
  });

  test('of an invoice link costs what the link says, as often as somebody pays', async () => {
    const { result: link } = await call('createInvoiceLink', {
      title: 'NDN',
      description: '1500 NDN',
      payload: 'kp_1',
      provider_token: '',
      currency: 'XTR',
      prices: [{ label: 'NDN', amount: 150 }],
    });
    for (const user of [USER, USER + 1]) await control('pay', { user, link });
    const { transactions } = (await call('getStarTransactions'))['result'] as {
      transactions: Json[];
    };
    expect(transactions).toMatchObject([
      { amount: 150, source: { user: { id: USER }, invoice_payload: 'kp_1' } },
      { amount: 150, source: { user: { id: USER + 1 }, invoice_payload: 'kp_1' } },
    ]);
  });

  test('that renews a subscription is not asked about', async () => {
    await control('pay', { user: USER, stars: 499, payload: 's', recurring: 'renewal' });
    const [told] = heard();
    const { message } = told as { message: { successful_payment: Json } };
    expect(message.successful_payment).toMatchObject({ is_recurring: true });
    expect(message.successful_payment).not.toHaveProperty('is_first_recurring');
  });
});

test.each([
  [
    'two prices',
    {
      prices: [
        { label: 'a', amount: 1 },
        { label: 'b', amount: 1 },
      ],
    },
  ],
  ['nothing to pay', { prices: [{ label: 'a', amount: 0 }] }],
  ['a payload of 129 bytes', { payload: `${'ж'.repeat(64)}x` }],
  ['another period', { subscription_period: 86_400 }],
  ['a currency that is none', { currency: 'XTS' }],
])('an invoice link with %s is refused', async (_what, change) => {
  const invoice = { title: 't', description: 'd', payload: 'p', currency: 'XTR' };
  const prices = [{ label: 'a', amount: 1 }];
  expect(await call('createInvoiceLink', { ...invoice, prices, ...change })).toMatchObject({
    http: 400,
    ok: false,
  });
});

test('a refund is told by the bot itself, listed under the same id, and made once', async () => {
  const { payment } = await control('pay', { user: USER, stars: 5, payload: 'p' });
  const { chargeId } = payment as { chargeId: string };
  const refund = { user_id: USER, telegram_payment_charge_id: chargeId };

  expect(await call('refundStarPayment', refund)).toMatchObject({ ok: true, result: true });
  await waitFor(() => shop.requests.length === 3);
  expect(heard().at(-1)).toMatchObject({
    message: {
      from: { is_bot: true },
      refunded_payment: { total_amount: 5, telegram_payment_charge_id: chargeId },
    },
  });
  expect((await call('getStarTransactions', { offset: 1 }))['result']).toMatchObject({
    transactions: [{ id: chargeId, amount: 5, receiver: { user: { id: USER } } }],
  });
  expect(await call('refundStarPayment', refund)).toMatchObject({
    http: 400,
    description: 'Bad Request: CHARGE_ALREADY_REFUNDED',
  });
});

test('a message is kept, or refused as Telegram refuses', async () => {
  const send = (chat_id = USER): Promise<Json> => call('sendMessage', { chat_id, text: 'привет' });
  expect(await send()).toMatchObject({ ok: true, result: { text: 'привет', chat: { id: USER } } });

  await control('knobs', { floods: 1, retryAfter: 3, blocked: [7], strangers: [8] }, 'PATCH');
  expect(await send()).toMatchObject({
    http: 429,
    retryAfter: '3',
    parameters: { retry_after: 3 },
  });
  expect(await send()).toMatchObject({ ok: true });
  expect(await send(7)).toMatchObject({
    http: 403,
    description: 'Forbidden: bot was blocked by the user',
  });
  expect(await send(8)).toMatchObject({ http: 400, description: 'Bad Request: chat not found' });
  const messages = await fetch(`${origin}/__sandbox/bot/messages`);
  expect(await messages.json()).toHaveLength(2);
  const sendings = await fetch(`${origin}/__sandbox/bot/sendings`);
  expect(((await sendings.json()) as Json[]).map(({ status }) => status)).toEqual([
    200, 429, 200, 403, 400,
  ]);
});

test('an answer that is lost was given all the same', async () => {
  await control('knobs', { answers: 'lose' }, 'PATCH');
  const invoice = { title: 'x', description: 'x', payload: 'x', currency: 'XTR' };
  const prices = [{ label: 'x', amount: 5 }];
  await expect(call('createInvoiceLink', { ...invoice, prices })).rejects.toThrow('fetch failed');
  const made = await fetch(`${origin}/__sandbox/bot/invoices`);
  expect(await made.json()).toMatchObject([{ stars: 5 }]);
});

test('of what an affiliate had a share the list shows the rest, and paid media it alone', async () => {
  await control('pay', { user: USER, stars: 100, affiliate: 10, recurring: 'renewal' });
  await control('media', { user: USER, stars: 7, payload: 'pm:1' });
  expect(heard()).toMatchObject([
    { message: { successful_payment: { total_amount: 100 } } },
    { purchased_paid_media: { from: { id: USER }, paid_media_payload: 'pm:1' } },
  ]);
  const { result } = (await call('getStarTransactions')) as { result: { transactions: Json[] } };
  expect(result.transactions).toMatchObject([
    { amount: 90, source: { transaction_type: 'invoice_payment', affiliate: { amount: 10 } } },
    { amount: 7, source: { transaction_type: 'paid_media_payment', paid_media_payload: 'pm:1' } },
  ]);
});

test('a question that nobody asked cannot be answered', async () => {
  const late = { pre_checkout_query_id: '1', ok: true };
  expect(await call('answerPreCheckoutQuery', late)).toMatchObject({ http: 400 });
});

test('any update can be sent, with the secret', async () => {
  const content = { my_chat_member: { new_chat_member: { status: 'kicked' } } };
  expect(await control('update', content)).toMatchObject({ status: 200 });
  expect(heard()).toMatchObject([content]);
});

describe('the webhook', () => {
  test('is set with its secret, and is told of what it asked for alone', async () => {
    const secret = 'another_Secret-1';
    const url = shop.url;
    const allowed = ['message', 'pre_checkout_query'];
    const set = { url, secret_token: secret, allowed_updates: allowed };
    expect(await call('setWebhook', set)).toMatchObject({ ok: true, result: true });
    expect((await call('getWebhookInfo'))['result']).toEqual({
      url,
      has_custom_certificate: false,
      pending_update_count: 0,
      max_connections: 40,
      allowed_updates: allowed,
    });
    await control('update', { subscription: { state: 'canceled' } });
    await control('update', { message: { text: 'hello' } });
    expect(shop.requests.map(({ headers }) => headers['x-telegram-bot-api-secret-token'])).toEqual([
      secret,
    ]);
    await call('setWebhook', { url });
    expect((await call('getWebhookInfo'))['result']).toMatchObject({ allowed_updates: allowed });
  });

  test('that takes nothing is told as Telegram tells it', async () => {
    await call('setWebhook', { url: 'http://127.0.0.1:9/' });
    await control('update', { message: { text: 'hello' } });
    expect((await call('getWebhookInfo'))['result']).toMatchObject({
      pending_update_count: 1,
      last_error_date: NOW.getTime() / 1000,
      last_error_message: 'Connection refused',
    });
    await call('deleteWebhook');
    expect((await call('getWebhookInfo'))['result']).toMatchObject({ url: '' });
  });

  test.each([
    [{ url: 'http://shop.test/' }, 'An HTTPS URL must be provided'],
    [{ url: 'https://shop.test:444/' }, 'only on ports 80, 88, 443 or 8443'],
    [{ url: 'shop' }, 'invalid URL'],
    [{ url: 'https://shop.test', secret_token: 'a b' }, 'unallowed characters'],
    [{ url: 'https://shop.test', secret_token: 'x'.repeat(257) }, 'too long'],
  ])('%j is refused', async (parameters, words) => {
    expect(await call('setWebhook', parameters)).toMatchObject({
      http: 400,
      description: expect.stringContaining(words) as string,
    });
  });
});
