import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCryptoPay } from '@kopeck/sandbox/crypto-pay/crypto-pay';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { listenTo, type Listener } from './listener.ts';

const TOKEN = '31337:AAvectorTokenForUnitTestsOnly012345';
const TESTNET_TOKEN = '40400:AAtestnetTokenForUnitTestsOnly01234';
const NOW = new Date('2026-10-05T12:35:02.266Z');

type Json = Record<string, unknown>;

let sandbox: Sandbox;
let origin: string;
let shop: Listener;

beforeEach(async () => {
  shop = await listenTo(200, '{"status":"accepted"}');
  const apps = [
    { token: TOKEN, network: 'main' },
    { token: TESTNET_TOKEN, network: 'test' },
  ] as const;
  const double = openCryptoPay({ apps, webhookUrl: shop.url });
  sandbox = createSandbox({ doubles: [double], now: () => NOW });
  origin = await sandbox.listen(0);
});
afterEach(async () => {
  await sandbox.close();
  await shop.close();
});

async function call(method: string, params: Json = {}, token = TOKEN): Promise<Json> {
  const response = await fetch(`${origin}/crypto-pay/api/${method}`, {
    method: 'POST',
    headers: { 'Crypto-Pay-API-Token': token, 'Content-Type': 'application/json' },
    body: JSON.stringify(params),
  });
  return { http: response.status, ...((await response.json()) as Json) };
}

async function control(path: string, body: Json, method: 'POST' | 'PATCH' = 'POST'): Promise<Json> {
  const response = await fetch(`${origin}/__sandbox/crypto-pay/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { http: response.status, ...((await response.json()) as Json) };
}

async function newInvoice(params: Json, token = TOKEN): Promise<Json> {
  return (await call('createInvoice', params, token))['result'] as Json;
}

test('the token tells the app and its network', async () => {
  expect((await call('getMe'))['result']).toMatchObject({
    app_id: 31337,
    payment_processing_bot_username: 'CryptoBot',
  });
  expect((await call('getMe', {}, TESTNET_TOKEN))['result']).toMatchObject({
    app_id: 40400,
    payment_processing_bot_username: 'CryptoTestnetBot',
  });
});

test.each([
  ['an unknown method', 'getMine', {}, [405, 'METHOD_NOT_FOUND']],
  ['an inherited name', 'constructor', {}, [405, 'METHOD_NOT_FOUND']],
  ['an unknown coin', 'createInvoice', { asset: 'XXX', amount: '1' }, [400, 'UNSUPPORTED_ASSET']],
  ['no amount', 'createInvoice', { asset: 'TON' }, [400, 'AMOUNT_INVALID']],
  [
    'an amount below zero',
    'createInvoice',
    { asset: 'TON', amount: '-1' },
    [400, 'AMOUNT_INVALID'],
  ],
  ['a list of coins', 'createInvoice', { accepted_assets: ['TON'] }, [500, 'APP_ERROR']],
  ['too long a wait', 'createInvoice', { expires_in: 1e9 }, [400, 'EXPIRES_IN_INVALID']],
])('%s is refused', async (_what, method, params, [code, name]) => {
  expect(await call(method, params)).toMatchObject({
    http: code,
    ok: false,
    error: { code, name },
  });
});

test('an unknown token is refused', async () => {
  expect(await call('getMe', {}, '1:A')).toMatchObject({
    http: 401,
    error: { name: 'UNAUTHORIZED' },
  });
});

describe('an invoice', () => {
  test('is paid by hand, and its webhook is signed over the bytes as they are sent', async () => {
    const invoice = await newInvoice({ asset: 'USDT', amount: '4.50', payload: '{"a":1}' });
    expect(invoice).toMatchObject({ status: 'active', amount: '4.5', payload: '{"a":1}' });

    const paid = await control('pay', { invoice_id: invoice['invoice_id'] });
    expect(paid).toMatchObject({
      http: 200,
      delivery: { status: 200, body: { status: 'accepted' } },
    });

    const [request] = shop.requests;
    const key = createHash('sha256').update(TOKEN).digest();
    expect(request?.headers['crypto-pay-api-signature']).toBe(
      createHmac('sha256', key)
        .update(request?.body ?? '')
        .digest('hex'),
    );
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      update_type: 'invoice_paid',
      payload: {
        invoice_id: invoice['invoice_id'],
        status: 'paid',
        paid_amount: '4.5',
        fee_amount: '0.135',
        fee: '0.135',
        paid_at: NOW.toISOString(),
        payload: '{"a":1}',
      },
    });
  });

  test('in roubles comes to coins of the chosen kind', async () => {
    const invoice = await newInvoice({ currency_type: 'fiat', fiat: 'RUB', amount: '499' });
    const { invoice: paid } = await control('pay', {
      invoice_id: invoice['invoice_id'],
      asset: 'TON',
    });
    expect(paid).toMatchObject({
      fiat: 'RUB',
      amount: '499',
      paid_asset: 'TON',
      paid_amount: '2.13203776',
    });
    expect(paid).not.toHaveProperty('asset');
  });

  test('may be exchanged', async () => {
    const invoice = await newInvoice({ asset: 'TON', amount: '2', swap_to: 'USDT' });
    const { invoice: paid } = await control('pay', { invoice_id: invoice['invoice_id'] });
    expect(paid).toMatchObject({ is_swapped: true, swapped_to: 'USDT' });
  });

  test('is paid only once, and told as often as it is asked for', async () => {
    const { invoice_id } = await newInvoice({ asset: 'USDT', amount: '1' });
    const first = await control('pay', { invoice_id });
    const second = await control('pay', { invoice_id });
    expect(second['invoice']).toEqual(first['invoice']);
    expect(shop.requests).toHaveLength(2);
  });

  test('is listed to its own app, by id and status, without what only webhooks have', async () => {
    const one = await newInvoice({ asset: 'USDT', amount: '1' });
    const two = await newInvoice({ asset: 'TON', amount: '2' });
    await newInvoice({ asset: 'JET', amount: '3' }, TESTNET_TOKEN);
    await control('pay', { invoice_id: one['invoice_id'] });

    const listed = async (params: Json): Promise<unknown[]> => {
      const { result } = (await call('getInvoices', params)) as { result: { items: Json[] } };
      for (const item of result.items) expect(item).not.toHaveProperty('fee');
      return result.items.map((item) => item['invoice_id']);
    };
    expect(await listed({})).toEqual([two['invoice_id'], one['invoice_id']]);
    expect(await listed({ status: 'paid' })).toEqual([one['invoice_id']]);
    expect(await listed({ invoice_ids: `${String(two['invoice_id'])},5` })).toEqual([
      two['invoice_id'],
    ]);
    expect(await listed({ count: 1, offset: 1 })).toEqual([one['invoice_id']]);
  });

  test('that nobody is told of is paid all the same', async () => {
    await control('knobs', { webhooks: 'drop' }, 'PATCH');
    const { invoice_id } = await newInvoice({ asset: 'USDT', amount: '1' });
    expect(await control('pay', { invoice_id })).toMatchObject({
      invoice: { status: 'paid' },
      delivery: null,
    });
    expect(shop.requests).toEqual([]);
  });
});

test('an invoice made elsewhere can be sent as paid, and again', async () => {
  const sent = await control('send', { invoice_id: 12345, payload: 'order-1' });
  expect(sent).toMatchObject({
    invoice: { invoice_id: 12345, asset: 'USDT', amount: '4.5', payload: 'order-1' },
    delivery: { status: 200 },
  });
  expect((await control('send', { invoice_id: 12345 }))['invoice']).toEqual(sent['invoice']);
  expect(await control('send', { invoice_id: 1, app_id: 9 })).toMatchObject({ http: 404 });
});

test('anything can be signed', async () => {
  await control('webhook', { body: '{"update_id":1,' });
  expect(shop.requests[0]?.body).toBe('{"update_id":1,');
});

test('an unknown invoice cannot be paid, and nonsense is refused', async () => {
  expect(await control('pay', { invoice_id: 1 })).toMatchObject({ http: 404 });
  expect(await control('pay', { invoice_id: 'x' })).toMatchObject({ http: 400 });
});
