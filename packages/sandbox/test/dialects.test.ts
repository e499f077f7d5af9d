import { createPublicKey, randomUUID, verify, type JsonWebKey } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseNspkLink, qrcUuid } from '@kopeck/core/nspk';
import { openAcquirer } from '@kopeck/sandbox/acquirer/acquirer';
import { openBridge } from '@kopeck/sandbox/acquirer/bridge';
import { openTbank } from '@kopeck/sandbox/acquirer/tbank';
import { tokenOf } from '@kopeck/sandbox/acquirer/tbank-token';
import { openTochka } from '@kopeck/sandbox/acquirer/tochka';
import { openYookassa } from '@kopeck/sandbox/acquirer/yookassa';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { listenTls } from '@kopeck/sandbox/tls';
import { waitFor } from '@kopeck/testing/wait-for';
import { listenTo, type Listener } from './listener.ts';

const KEY = 'sandbox-secret-sandbox-secret-sandbox';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const callbackUrl = null;

let sandbox: Sandbox;
let origin: string;
beforeAll(async () => {
  sandbox = createSandbox({
    now: () => new Date('2026-01-15T13:00:00Z'),
    doubles: [
      openAcquirer({ secretKey: KEY, sbpMerchantId: 'MA01', merchantId: '1', callbackUrl }),
      openTbank({ terminalKey: 'SandboxDEMO', password: KEY, callbackUrl }),
      openYookassa({ shopId: '100500', secretKey: KEY, callbackUrl }),
      openTochka({ token: KEY, merchantId: 'MF01', customerCode: '3000', callbackUrl }),
      openBridge({ token: KEY, callbackUrl }),
    ],
  });
  origin = await sandbox.listen(0);
});
afterAll(() => sandbox.close());
beforeEach(() => call('POST', '/__sandbox/reset'));

const QR_DYNAMIC = { qrType: 'QRDynamic', amount: 100, currency: 'RUB', sbpMerchantId: 'MA01' };

/** How each bank is asked for a code of 100 roubles, and where its answer says which. */
const CREATE: Readonly<Record<string, (order: string) => Promise<Json>>> = {
  acquirer: (order) => bearer('POST', '/raiffeisen/api/sbp/v2/qrs', { ...QR_DYNAMIC, order }),
  tbank: (order) =>
    tbank('Init', { Amount: 10_000, OrderId: order, RedirectDueDate: '2026-01-15T17:00:00+03:00' }),
  yookassa: (order) => yookassa('POST', '/payments', paymentOf(order), order),
  tochka: () => tochkaCode(),
  bridge: (order) =>
    bearer('POST', '/bridge', { amount: 100, orderId: order, cardNumber: '1', cardOwner: 'I' }),
};

const BANKS = Object.keys(CREATE);

describe('a notification that nobody acknowledges', () => {
  test.each([
    ['acquirer', 10, DAY_MS - 14 * 60_000],
    ['tbank', 55, DAY_MS + 30 * DAY_MS],
    ['yookassa', 10, DAY_MS - 14 * 60_000],
    ['tochka', 31, 300_000],
    ['bridge', 10, DAY_MS - 14 * 60_000],
  ])('is repeated by %s, %i tries in all, by its own clock', async (bank, tries, lastsMs) => {
    const shop = await listenTo(500, 'no');
    await turn(bank, { callbackUrl: shop.url, retries: 'bank' });
    await payCode(bank, await codeOf(bank));
    await pass(bank, 0);
    const first = await deliveryOf(bank);
    expect(first.statuses).toEqual([500]);

    await pass(bank, 60 * DAY_MS);
    const { statuses, triedAt } = await deliveryOf(bank);
    expect(statuses).toHaveLength(tries);
    const lasted = Date.parse(triedAt.at(-1) ?? '') - Date.parse(triedAt[0] ?? '');
    expect(Math.abs(lasted - lastsMs)).toBeLessThanOrEqual(60_000);
    await shop.close();
  });

  test('is repeated by T-Bank although it was answered 200, until that says OK', async () => {
    const shop = await listenTo(200, () => (shop.requests.length > 4 ? 'OK' : '{}'));
    await turn('tbank', { callbackUrl: shop.url, retries: 'bank' });
    await payCode('tbank', await codeOf('tbank'));
    await pass('tbank', 10 * HOUR_MS);
    // CONFIRMED and AUTHORIZED, twice in vain and the third time not.
    expect(shop.requests).toHaveLength(6);
    await shop.close();
  });
});

describe.each(BANKS)('%s', (bank) => {
  test('tells of a payment later than it was made, where that is wanted', async () => {
    const shop = await listenTo(200, 'OK');
    await turn(bank, { callbackUrl: shop.url, delayMs: 30_000 });
    await payCode(bank, await codeOf(bank));
    await pass(bank, 29_999);
    expect(shop.requests).toEqual([]);
    await pass(bank, 1);
    expect(shop.requests).not.toEqual([]);
    await shop.close();
  });

  test('writes its fields as a test wants them, with some that nobody knows', async () => {
    const shop = await listenTo(200, 'OK');
    await turn(bank, { callbackUrl: shop.url, casing: 'pascal', unknownFields: true });
    await payCode(bank, await codeOf(bank));
    const [told] = await waitFor(() => shop.requests.length > 0 && shop.requests);
    const body = told?.body ?? '';
    const json = body.startsWith('{') ? body : decoded(body.split('.')[1]);
    expect(json).toMatch(/"(OrderId|Order|QrcId|Event)":/);
    expect(json).toContain('"PayerBankDetails":');
    await shop.close();
  });
});

test.each([
  ['full', 'ok', true],
  ['short', 'absent', true],
  ['bad-crc', 'bad', true],
  ['mock-hex', 'ok', false],
])('links of the style %s have a checksum that is %s', async (linkStyle, crc, isReal) => {
  await turn('acquirer', { linkStyle });
  const { qrId, payload } = await create('acquirer', 'style');
  expect(parseNspkLink(String(payload))).toEqual({ qrcId: qrId, crc });
  expect(qrcUuid(String(qrId)) !== null).toBe(isReal);
});

describe('Raiffeisen', () => {
  const refund = (refundId: string, amount: number) =>
    bearer('POST', '/raiffeisen/api/sbp/v1/refund', { order: 'refunded', refundId, amount });

  test('gives back what is left and no more, each refundId once, and decides later', async () => {
    const { qrId } = await create('acquirer', 'refunded');
    expect(await refund('early', 1)).toMatchObject({ code: 'ERROR.REFUND_INSUFFICIENT_FUNDS' });
    await payCode('acquirer', String(qrId));
    await turn('acquirer', { refunds: 'hold' });
    expect(await refund('part', 60)).toMatchObject({ refundStatus: 'IN_PROGRESS' });
    expect(await refund('part', 60)).toMatchObject({ refundStatus: 'IN_PROGRESS' });
    expect(await refund('more', 41)).toMatchObject({ code: 'ERROR.REFUND_INSUFFICIENT_FUNDS' });
    expect(await codes('acquirer')).toMatchObject([{ refunds: [{ amount: '60' }] }]);
    await turn('acquirer', { refunds: 'decline' });
    expect(await bearer('GET', '/raiffeisen/api/sbp/v1/refund/part')).toMatchObject({
      refundStatus: 'DECLINED',
    });
    expect(await bearer('GET', '/raiffeisen/api/sbp/v1/refund/other')).toMatchObject({
      code: 'ERROR.REFUND_NOT_FOUND',
    });
  });

  test('knows no other paths, and says so as its framework does', async () => {
    expect(await bearer('GET', '/raiffeisen/api/sbp/v9/qrs')).toMatchObject({
      status: 404,
      error: 'Not Found',
      path: '/api/sbp/v9/qrs',
    });
  });
});

describe('T-Bank', () => {
  test('knows an order once, and no wrong token or terminal', async () => {
    expect(await create('tbank', 'once')).toMatchObject({ Success: true, Status: 'NEW' });
    expect(await create('tbank', 'once')).toMatchObject({ Success: false, ErrorCode: '8' });
    const unsigned = { TerminalKey: 'SandboxDEMO', OrderId: 'x', Token: 'x' };
    expect(await call('POST', '/tbank/v2/CheckOrder', unsigned)).toMatchObject({
      ErrorCode: '204',
    });
    expect(await tbank('CheckOrder', { OrderId: 'x', TerminalKey: 'Other' })).toMatchObject({
      ErrorCode: '331',
    });
  });

  test.each([
    [{}, 'CONFIRMED'],
    [{ IsRejected: true }, 'REJECTED'],
    [{ IsDeadlineExpired: true }, 'DEADLINE_EXPIRED'],
  ])('its own test payment with %j ends in %s', async (flags, status) => {
    const { PaymentId } = await create('tbank', 'test');
    await tbank('SbpPayTest', { PaymentId, ...flags });
    expect(await tbank('GetState', { PaymentId })).toMatchObject({ Status: status });
  });

  test('rejects after the third declined try, and not before', async () => {
    const { PaymentId } = await create('tbank', 'thrice');
    const [qr] = await codes('tbank');
    for (const status of ['NEW', 'NEW', 'REJECTED']) {
      await payCode('tbank', String(qr?.['qrId']), { decline: true });
      expect(await tbank('GetState', { PaymentId })).toMatchObject({ Status: status });
    }
  });
});

test('YooKassa gives the same payment for the same key, and none for a key with another body', async () => {
  const first = await yookassa('POST', '/payments', paymentOf('a'), 'key');
  const second = await yookassa('POST', '/payments', paymentOf('a'), 'key');
  expect(second).toEqual(first);
  expect(await yookassa('POST', '/payments', paymentOf('b'), 'key')).toMatchObject({
    type: 'error',
    code: 'invalid_request',
  });
  expect(await codes('yookassa')).toHaveLength(1);
});

describe('Tochka', () => {
  const webhook = '/tochka/uapi/webhook/v1.0/client';

  test.each([
    [200, true],
    [500, false],
  ])(
    'tries an address with a sample, and whether it answers %i decides',
    async (status, isTaken) => {
      const shop: Listener = await listenTo(status, 'ok');
      await bearer('PUT', webhook, { webhooksList: ['incomingSbpPayment'], url: shop.url });
      const [sample] = shop.requests;
      expect(sample?.headers['content-type']).toBe('text/plain');
      const [header, payload, signature] = (sample?.body ?? '').split('.');
      const jwk = (await call('GET', '/tochka/keys')) as JsonWebKey;
      const key = createPublicKey({ key: jwk, format: 'jwk' });
      const signed = Buffer.from(`${header}.${payload}`);
      expect(verify('RSA-SHA256', signed, key, Buffer.from(signature ?? '', 'base64url'))).toBe(
        true,
      );
      expect((await call('GET', '/__sandbox/tochka/knobs'))['callbackUrl']).toBe(
        isTaken ? shop.url : null,
      );
      await shop.close();
    },
  );

  test('tells of several codes at once, for a day after they were paid; then its list does', async () => {
    const [first, second] = [await codeOf('tochka'), await codeOf('tochka')];
    await payCode('tochka', first);
    const ask = () =>
      bearer('GET', `/tochka/uapi/sbp/v1.0/qr-codes/${first},${second}/payment-status`);
    expect(await ask()).toMatchObject({
      Data: {
        paymentList: [
          { qrcId: first, status: 'Accepted' },
          { qrcId: second, status: 'NotStarted' },
        ],
      },
    });
    await pass('tochka', 4 * DAY_MS);
    expect(await ask()).toMatchObject({ code: '404' });

    const list = (query: string) =>
      bearer('GET', `/tochka/uapi/sbp/v1.0/get-sbp-payments?qrcId=${first}&${query}`);
    expect(await list('customerCode=3000')).toMatchObject({ Data: { Payments: [] } });
    expect(await list('customerCode=3000&fromDate=2026-01-15')).toMatchObject({
      Data: { Payments: [{ qrcId: first, status: 'Accepted' }] },
    });
    expect(await list('customerCode=1')).toMatchObject({ code: '403' });
  });
});

describe('by hand', () => {
  test.each([
    ['pay', 'paid'],
    ['decline', 'new'],
    ['expire', 'expired'],
  ])('a code can be told to %s on the page of every bank', async (act, status) => {
    for (const bank of BANKS) {
      const qrId = await codeOf(bank);
      const page = `${origin}/__sandbox/${bank}/`;
      expect(await (await fetch(page)).text()).toContain(`<td>${qrId}<td>100.00<td>new<td><form`);
      const form = new URLSearchParams({ qrId, act });
      const answer = await fetch(`${page}act`, { method: 'POST', body: form });
      expect(answer.url).toBe(page);
      expect(await answer.text()).toContain(`<td>${qrId}<td>100.00<td>${status}`);
    }
  });

  test('a link can be pasted as a phone would scan it', async () => {
    const [bank, qrId] = ['acquirer', await codeOf('acquirer')];
    const form = new URLSearchParams({ qrId: `https://qr.nspk.ru/${qrId}?type=02`, act: 'pay' });
    await fetch(`${origin}/__sandbox/${bank}/act`, { method: 'POST', body: form });
    expect(await codes(bank)).toMatchObject([{ qrId, status: 'paid' }]);
  });
});

test('over TLS it is believed by those who know its root, and by nobody else', async () => {
  const tls = await listenTls(sandbox.app);
  const health = (ca?: string): Promise<number | string> =>
    new Promise((resolve) => {
      httpsRequest(`${tls.origin}/health`, ca === undefined ? {} : { ca }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
        .end();
    });
  expect(await health()).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  expect(await health(tls.ca)).toBe(200);
  await tls.close();
});

type Json = Record<string, unknown>;

function create(bank: string, order: string): Promise<Json> {
  return CREATE[bank]?.(order) ?? Promise.reject(new Error(`there is no ${bank}`));
}

async function codeOf(bank: string): Promise<string> {
  await create(bank, randomUUID());
  return String((await codes(bank)).at(-1)?.['qrId']);
}

async function codes(bank: string): Promise<readonly Json[]> {
  return (await call('GET', `/__sandbox/${bank}/qrs`)) as unknown as Json[];
}

function payCode(bank: string, qrId: string, more: object = {}): Promise<Json> {
  return call('POST', `/__sandbox/${bank}/pay`, { qrId, ...more });
}

function turn(bank: string, knobs: object): Promise<Json> {
  return call('PATCH', `/__sandbox/${bank}/knobs`, knobs);
}

function pass(bank: string, advanceMs: number): Promise<Json> {
  return call('POST', `/__sandbox/${bank}/clock`, { advanceMs });
}

interface Tried {
  readonly statuses: readonly number[];
  readonly triedAt: readonly string[];
}

async function deliveryOf(bank: string): Promise<Tried> {
  const [first] = (await call('GET', `/__sandbox/${bank}/callbacks`)) as unknown as Tried[];
  return first ?? { statuses: [], triedAt: [] };
}

function tochkaCode(): Promise<Json> {
  const Data = { amount: 10_000, currency: 'RUB', qrcType: '02', ttl: 60 };
  return bearer('POST', '/tochka/uapi/sbp/v1.0/qr-code/merchant/MF01/4080/0445', { Data });
}

function tbank(method: string, fields: Json): Promise<Json> {
  const all: Json = { TerminalKey: 'SandboxDEMO', ...fields };
  const texts = Object.entries(all).map(([name, value]) => [
    name,
    typeof value === 'number' ? String(value) : value,
  ]);
  const Token = tokenOf(Object.fromEntries(texts) as Json, KEY);
  return call('POST', `/tbank/v2/${method}`, { ...all, Token });
}

function paymentOf(order: string): Json {
  return { amount: { value: '100.00', currency: 'RUB' }, metadata: { orderId: order } };
}

function yookassa(method: string, path: string, body: Json, key: string): Promise<Json> {
  const basic = Buffer.from(`100500:${KEY}`).toString('base64');
  const headers = { Authorization: `Basic ${basic}`, 'Idempotence-Key': key };
  return call(method, `/yookassa/v3${path}`, body, headers);
}

function bearer(method: string, path: string, body?: Json): Promise<Json> {
  return call(method, path, body, { Authorization: `Bearer ${KEY}` });
}

async function call(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Json> {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Json;
}

function decoded(part = ''): string {
  return Buffer.from(part, 'base64url').toString();
}
