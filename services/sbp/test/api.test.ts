import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseNspkLink } from '@kopeck/core/nspk';
import { JournalUnavailable } from '@kopeck/runtime/journal';
import {
  API_TOKEN,
  call,
  createSbpDatabase,
  getStatus,
  postPayment,
  sandboxQrs,
  startTestSbp,
  type RunningSbp,
} from './running-sbp.ts';

let sbp: RunningSbp;
beforeAll(async () => {
  sbp = await startTestSbp(await createSbpDatabase());
});
afterAll(() => sbp.close());

const BEARER = { Authorization: `Bearer ${API_TOKEN}` };
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('POST /api/payment', () => {
  test('answers as shops know it', async () => {
    const { status, body } = await postPayment(sbp, '{"amount":100,"orderId":"order-id-hash"}');
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, orderId: 'order-id-hash' });
    expect(parseNspkLink(String(body['qr']))).toEqual({ qrcId: body['qrcId'], crc: 'ok' });
  });

  test('gives the same order with the same amount the same code again, however it is spelled', async () => {
    const first = await postPayment(sbp, '{"amount":100.5,"orderId":"again"}');
    for (const amount of ['100.5', '100.50', '"100.5"', '"100.50"']) {
      const next = await postPayment(sbp, `{"amount":${amount},"orderId":"again"}`);
      expect({ status: next.status, body: next.body }).toEqual({ status: 200, body: first.body });
    }
  });

  test('refuses the same order with another amount', async () => {
    await postPayment(sbp, '{"amount":100,"orderId":"other-amount"}');
    const { status, body } = await postPayment(sbp, '{"amount":100.01,"orderId":"other-amount"}');
    expect({ status, body }).toEqual({
      status: 409,
      body: { success: false, error: 'Order already exists' },
    });
  });

  test('tells the provider an id of its own, never the shop’s', async () => {
    await postPayment(sbp, { amount: 7, orderId: 'x'.repeat(128) });
    const qr = (await sandboxQrs(sbp)).find(({ amount }) => amount === '7');
    expect(qr?.order).toMatch(/^[0-9a-f]{32}$/);
  });

  test('tells apart orders whose ids differ in case, accent or a trailing space', async () => {
    const ids = ['Order', 'order', 'ordér', 'order ', 'заказ №1', 'a/b?c#d%20'];
    for (const [index, orderId] of ids.entries()) {
      expect((await postPayment(sbp, { amount: index + 1, orderId })).status).toBe(200);
      expect((await getStatus(sbp, orderId)).body).toMatchObject({ orderId, amount: index + 1 });
    }
  });

  test('announces the order before the provider is asked', () => {
    const [event] = sbp.events;
    expect(event).toMatchObject({
      source: 'sbp',
      type: 'order.created',
      subject: 'order:sbp:order-id-hash',
      time: '2026-01-15T13:00:00.043Z',
      network: 'main',
      data: {
        orderId: 'order-id-hash',
        price: { asset: 'RUB', amount: '100' },
        grants: [],
        user: null,
      },
    });
  });

  test.each([
    ['no token', { headers: JSON_TYPE }, 401, 'Unauthorized'],
    [
      'a wrong token',
      { headers: { ...JSON_TYPE, Authorization: 'Bearer x' } },
      401,
      'Unauthorized',
    ],
    [
      'another scheme',
      { headers: { ...JSON_TYPE, Authorization: API_TOKEN } },
      401,
      'Unauthorized',
    ],
    ['no type', { headers: BEARER }, 400, 'Content-Type must be application/json'],
    [
      'a form',
      { headers: { ...BEARER, 'Content-Type': 'text/plain' } },
      400,
      'Content-Type must be application/json',
    ],
    ['no body', { body: '' }, 400, 'Invalid JSON'],
    ['half a body', { body: '{"amount":' }, 400, 'Invalid JSON'],
    ['bytes that are no text', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'Invalid JSON'],
    ['too large a body', { body: `"${'x'.repeat(70_000)}"` }, 413, 'Request body too large'],
    [
      'a packed body',
      { headers: { ...BEARER, ...JSON_TYPE, 'Content-Encoding': 'gzip' } },
      415,
      'Content-Encoding is not supported',
    ],
    ['a GET', { method: 'GET', body: null }, 405, 'Method not allowed'],
  ] as const)('answers %s in the same form', async (_what, init, status, error) => {
    const given = { method: 'POST', headers: { ...BEARER, ...JSON_TYPE }, body: '{}', ...init };
    const answer = await call(`${sbp.url}/api/payment`, given);
    expect({ status: answer.status, body: answer.body }).toEqual({
      status,
      body: { success: false, error },
    });
  });

  test.each([
    '{}',
    '[]',
    '"text"',
    'null',
    '{"amount":100}',
    '{"orderId":"a"}',
    '{"amount":null,"orderId":"a"}',
    '{"amount":100,"orderId":null}',
  ])('misses fields in %s', async (body) => {
    expect((await postPayment(sbp, body)).body).toEqual({
      success: false,
      error: 'Missing required fields: amount, orderId',
    });
  });

  test.each([
    '0',
    '-1',
    '0.00',
    '0.001',
    '1e2',
    '1E+2',
    'true',
    '""',
    '"abc"',
    '"NaN"',
    '"1e2"',
    '"0x10"',
    '" 1"',
    '"1,5"',
    '"-1"',
    '[]',
    '{}',
    '100000000000',
  ])('finds no amount in %s', async (amount) => {
    const { status, body } = await postPayment(sbp, `{"amount":${amount},"orderId":"bad-amount"}`);
    expect({ status, body }).toEqual({
      status: 400,
      body: { success: false, error: 'Amount must be a positive number' },
    });
  });

  test.each([
    '""',
    '"\\u0000"',
    '"a\\nb"',
    '"\\u200b"',
    '"\\ud800"',
    `"${'x'.repeat(129)}"`,
    '[]',
    'true',
  ])('finds no order id in %s', async (orderId) => {
    const { status, body } = await postPayment(sbp, `{"amount":1,"orderId":${orderId}}`);
    expect({ status, body }).toEqual({
      status: 400,
      body: { success: false, error: 'orderId must be a string of 1 to 128 printable characters' },
    });
  });

  test('accepts the token before the current one', async () => {
    const answer = await call(`${sbp.url}/api/status/unknown`, {
      headers: { Authorization: `Bearer old-${API_TOKEN}` },
    });
    expect(answer.status).toBe(404);
  });

  test('promises nothing while the journal cannot be written, and is well again after that', async () => {
    sbp.journal.error = new JournalUnavailable('full');
    const { status, headers, body } = await postPayment(sbp, { amount: 1, orderId: 'no-journal' });
    expect({ status, body }).toEqual({
      status: 503,
      body: { success: false, error: 'Service temporarily unavailable' },
    });
    expect(headers.get('retry-after')).toBe('30');
    expect((await getStatus(sbp, 'no-journal')).body['status']).toBe('failed');

    sbp.journal.error = null;
    expect((await postPayment(sbp, { amount: 1, orderId: 'no-journal' })).status).toBe(200);
    expect((await getStatus(sbp, 'no-journal')).body['status']).toBe('pending');
  });
});

describe('GET /api/status/{orderId}', () => {
  test('answers as shops know it', async () => {
    await postPayment(sbp, '{"amount":100.50,"orderId":"status"}');
    const response = await fetch(`${sbp.url}/api/status/status`, { headers: BEARER });
    const text = await response.text();
    expect(text).toContain('"amount":100.5,');
    expect(JSON.parse(text)).toMatchObject({
      success: true,
      orderId: 'status',
      status: 'pending',
      amount: 100.5,
      createdAt: '2026-01-15T13:00:00',
    });
  });

  test.each([
    ['an unknown order', ['GET', '/api/status/unknown', BEARER], 404, 'Order not found'],
    ['no token', ['GET', '/api/status/status', {}], 401, 'Unauthorized'],
    ['a broken escape', ['GET', '/api/status/%ff', BEARER], 400, 'Bad request'],
    ['another verb', ['DELETE', '/api/status/status', BEARER], 405, 'Method not allowed'],
    ['another path', ['GET', '/api/orders', BEARER], 404, 'Not found'],
    ['another case', ['GET', '/api/Status/status', BEARER], 404, 'Not found'],
  ] as const)('answers %s in the same form', async (_what, request, status, error) => {
    const [method, path, headers] = request;
    const answer = await call(`${sbp.url}${path}`, { method, headers });
    expect({ status: answer.status, body: answer.body }).toEqual({
      status,
      body: { success: false, error },
    });
  });
});

test('GET /api/health answers as shops know it, without a token', async () => {
  expect((await call(`${sbp.url}/api/health`)).body).toEqual({
    success: true,
    status: 'healthy',
    timestamp: '2026-01-15T13:00:00',
  });
});
