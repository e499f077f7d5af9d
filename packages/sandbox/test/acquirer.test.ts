import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseNspkLink, qrcUuid } from '@kopeck/core/nspk';
import { openAcquirer } from '@kopeck/sandbox/acquirer/acquirer';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { waitFor } from '@kopeck/testing/wait-for';

const KEY = 'sandbox-secret-sandbox-secret-sandbox';
const MERCHANT = { secretKey: KEY, sbpMerchantId: 'MA0000000001', merchantId: '1780000001' };
const NOW = new Date('2026-01-15T13:00:00.043Z');
const ORDER = {
  qrType: 'QRDynamic',
  amount: 100,
  currency: 'RUB',
  order: 'attempt-1',
  sbpMerchantId: 'MA0000000001',
  qrExpirationDate: '2026-01-15T17:00:00+03:00',
};

let sandbox: Sandbox;
let origin: string;
beforeEach(async () => {
  sandbox = createSandbox({
    doubles: [openAcquirer({ ...MERCHANT, callbackUrl: null })],
    now: () => NOW,
  });
  origin = await sandbox.listen(0);
});
afterEach(() => sandbox.close());

describe('registration', () => {
  test('gives an id and a link that no structural check can tell from real ones', async () => {
    const { body } = await register();
    expect(body).toMatchObject({ qrStatus: 'NEW', qrExpirationDate: '2026-01-15T17:00:00+03:00' });
    expect(qrcUuid(String(body['qrId']))).not.toBeNull();
    expect(parseNspkLink(String(body['payload']))).toEqual({ qrcId: body['qrId'], crc: 'ok' });
    expect(body['payload']).toContain('?type=02&bank=000000000001&sum=10000&cur=RUB&crc=');
  });

  test.each([
    ['SBP_MERCHANT_ID_IS_MISSING', { sbpMerchantId: undefined }],
    ['MERCHANT_NOT_REGISTERED', { sbpMerchantId: 'MA0000000002' }],
    ['INVALID_REQUEST', { order: undefined }],
    ['INVALID_ORDER', { order: 'with space' }],
    ['INVALID_ORDER', { order: 'x'.repeat(41) }],
    ['INVALID_REQUEST', { qrType: 'QRStatic' }],
    ['DYNAMIC_QR_WITHOUT_AMOUNT', { amount: undefined }],
    ['INVALID_REQUEST', { amount: 0 }],
    ['INVALID_REQUEST', { amount: 0.001 }],
    ['INVALID_REQUEST', { currency: 'USD' }],
    ['QR_EXPIRATION_DATE_NOT_VALID', { qrExpirationDate: '2026-01-15T13:00:00' }],
    ['QR_EXPIRATION_DATE_NOT_VALID', { qrExpirationDate: '2026-01-15T16:00:00+03:00' }],
  ])('answers 200 with ERROR.%s to %j', async (code, change) => {
    const { status, body } = await register(change);
    expect({ status, code: body['code'] }).toEqual({ status: 200, code: `ERROR.${code}` });
  });

  test('gives an unpaid order another live code, and a paid one none', async () => {
    const first = await register();
    expect((await register()).body['qrId']).not.toBe(first.body['qrId']);
    await pay(first.body['qrId']);
    expect((await register()).body['code']).toBe('ERROR.ORDER_NUMBER_ALREADY_REGISTERED');
  });

  test('works without a key, and not with a wrong one; the rest asks for it', async () => {
    expect((await call('POST', '/raiffeisen/api/sbp/v2/qrs', ORDER, null)).status).toBe(200);
    expect((await call('POST', '/raiffeisen/api/sbp/v2/qrs', ORDER, 'wrong')).status).toBe(401);
    expect((await call('GET', '/raiffeisen/api/sbp/v2/qrs/x', undefined, null)).status).toBe(401);
  });
});

describe('a payment', () => {
  test('shows in both answers, once it was made', async () => {
    const qrId = (await register()).body['qrId'];
    expect(await states(qrId)).toEqual(['NEW', 'NO_INFO']);
    expect((await pay(qrId)).status).toBe(200);
    expect(await states(qrId)).toEqual(['PAID', 'SUCCESS']);
  });

  test('is refused with another amount, for the second time, after cancelling and expiry', async () => {
    const qrId = (await register()).body['qrId'];
    expect((await pay(qrId, { amount: 99 })).status).toBe(400);
    expect((await pay(qrId)).status).toBe(200);
    expect((await pay(qrId)).status).toBe(409);
    expect(
      (await call('DELETE', `/raiffeisen/api/sbp/v2/qrs/${String(qrId)}`)).body['code'],
    ).toBeDefined();

    const cancelled = (await register({ order: 'attempt-2' })).body['qrId'];
    await call('DELETE', `/raiffeisen/api/sbp/v2/qrs/${String(cancelled)}`);
    expect((await pay(cancelled)).status).toBe(409);
    expect(await states(cancelled)).toEqual(['CANCELLED', 'NO_INFO']);

    const late = (await register({ order: 'attempt-3' })).body['qrId'];
    await call('POST', '/__sandbox/acquirer/clock', { advanceMs: 3_600_000 });
    expect((await pay(late)).status).toBe(409);
    expect(await states(late)).toEqual(['EXPIRED', 'NO_INFO']);
    expect((await pay('unknown')).status).toBe(404);
  });

  test('may be declined, and the code paid after that', async () => {
    const qrId = (await register()).body['qrId'];
    await pay(qrId, { amount: 100, decline: true });
    expect(await states(qrId)).toEqual(['NEW', 'DECLINED']);
    await pay(qrId);
    expect(await states(qrId)).toEqual(['PAID', 'SUCCESS']);
  });

  test('can be kept back from the merchant for a while', async () => {
    const qrId = (await register()).body['qrId'];
    await turn({ holdStatus: true });
    await pay(qrId);
    expect(await states(qrId)).toEqual(['NEW', 'NO_INFO']);
    await turn({ shownAs: 'under-way' });
    expect(await states(qrId)).toEqual(['IN_PROGRESS', 'IN_PROGRESS']);
    expect(await states((await register({ order: 'attempt-2' })).body['qrId'])).toEqual([
      'NEW',
      'NO_INFO',
    ]);
    await turn({ holdStatus: false });
    expect(await states(qrId)).toEqual(['PAID', 'SUCCESS']);
  });
});

describe('a notification', () => {
  test.each([
    [0, '100'],
    [1, '100.0'],
    [2, '100.00'],
  ])(
    'with %i decimals is signed over the amount as it is written: %s',
    async (decimals, lexeme) => {
      const shop = await listenTo([200]);
      await turn({ callbackUrl: shop.url, amountDecimals: decimals });
      await pay((await register()).body['qrId']);
      const [got] = await waitFor(() => shop.requests.length > 0 && shop.requests);
      await shop.close();

      expect(got?.body).toContain(`"amount":${lexeme},`);
      const signed = `${lexeme}|MA0000000001|attempt-1|SUCCESS|2026-01-15T16:00:00.043000+03:00`;
      expect(got?.signature).toBe(createHmac('sha256', KEY).update(signed).digest('hex'));
    },
  );

  test('is repeated until it is answered 200, and no longer', async () => {
    const shop = await listenTo([503, 404, 200]);
    await turn({ callbackUrl: shop.url, retryDelaysMs: [1, 1, 1, 1] });
    await pay((await register()).body['qrId']);
    await waitFor(async () => (await statuses())[0]?.includes(200));
    expect(await statuses()).toEqual([[503, 404, 200]]);
    await shop.close();
  });

  test('is given up after the last pause', async () => {
    const shop = await listenTo([500]);
    await turn({ callbackUrl: shop.url, retryDelaysMs: [1, 1] });
    await pay((await register()).body['qrId']);
    await waitFor(async () => (await statuses())[0]?.length === 3);
    await shop.close();
  });

  test('can be sent twice, falsely signed, dropped, or about another order on demand', async () => {
    const shop = await listenTo([200]);
    await turn({ callbackUrl: shop.url, copies: 2, signature: 'wrong' });
    const qrId = (await register()).body['qrId'];
    await pay(qrId);
    await waitFor(() => shop.requests.length === 2);

    await turn({ callbacks: 'drop', signature: 'good' });
    const false_ = { order: 'another', amount: '1.00', paymentStatus: 'DECLINED' };
    await call('POST', `/__sandbox/acquirer/callbacks/${String(qrId)}`, false_);
    expect(shop.requests[2]?.body).toContain('"amount":1.00,');
    expect(shop.requests[2]?.body).toContain('"order":"another"');
    expect(shop.requests).toHaveLength(3);
    await shop.close();
  });
});

describe('a fault', () => {
  test('that loses the answer leaves a live code behind', async () => {
    await turn({ faults: [{ on: 'create', kind: 'lose-answer' }] });
    await expect(register()).rejects.toThrow('fetch failed');
    const { body } = await call('GET', '/__sandbox/acquirer/qrs');
    expect(body).toMatchObject([{ order: 'attempt-1', status: 'new' }]);
    expect((await register()).status).toBe(200);
  });

  test.each([
    ['http-500', 500],
    ['http-503', 503],
    ['http-429', 429],
    ['error-200', 200],
  ])('of kind %s registers nothing', async (kind, status) => {
    await turn({ faults: [{ on: 'create', kind, times: 2 }] });
    expect((await register().catch(() => ({ status: 503 }))).status).toBe(status);
    const { body } = await call('GET', '/__sandbox/acquirer/qrs');
    expect(body).toEqual([]);
  });

  test('of too many requests says when to come again', async () => {
    await turn({ faults: [{ on: 'create', kind: 'http-429' }] });
    expect((await register()).headers.get('retry-after')).toBe('5');
    expect((await register()).headers.get('retry-after')).toBeNull();
  });

  test('that is unknown is refused', async () => {
    expect((await call('PATCH', '/__sandbox/acquirer/knobs', { faults: [{}] })).status).toBe(400);
  });
});

function register(change: object = {}): Promise<Answer> {
  return call('POST', '/raiffeisen/api/sbp/v2/qrs', { ...ORDER, ...change });
}

function pay(qrId: unknown, body: object = { amount: 100 }): Promise<Answer> {
  return call(
    'POST',
    '/raiffeisen/sandbox/nspc-mock/v01/rfuture/payment/init',
    { qrId, ...body },
    null,
  );
}

async function turn(knobs: object): Promise<void> {
  expect((await call('PATCH', '/__sandbox/acquirer/knobs', knobs)).status).toBe(200);
}

async function states(qrId: unknown): Promise<unknown[]> {
  const info = await call('GET', `/raiffeisen/api/sbp/v2/qrs/${String(qrId)}`);
  const payment = await call('GET', `/raiffeisen/api/sbp/v1/qr/${String(qrId)}/payment-info`);
  return [info.body['qrStatus'], payment.body['paymentStatus']];
}

async function statuses(): Promise<number[][]> {
  const { body } = await call('GET', '/__sandbox/acquirer/callbacks');
  return (body as unknown as { statuses: number[] }[]).map((delivery) => delivery.statuses);
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(
  method: string,
  path: string,
  body?: object,
  key: string | null = KEY,
): Promise<Answer> {
  const authorization = key === null ? {} : { Authorization: `Bearer ${key}` };
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...authorization },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, unknown> };
}

interface Shop {
  readonly url: string;
  readonly requests: { readonly body: string; readonly signature: string }[];
  readonly close: () => Promise<void>;
}

/** Answers with the statuses in turn, and with the last one from then on. */
async function listenTo(answers: readonly number[]): Promise<Shop> {
  const requests: Shop['requests'] = [];
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      const signature = String(request.headers['x-api-signature-sha256']);
      requests.push({ body, signature });
      response.statusCode = answers[requests.length - 1] ?? answers.at(-1) ?? 200;
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, requests, close: async () => server.close().closeAllConnections() };
}
