import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { isFromOneOf } from '../src/networks.ts';
import { openProviders } from '../src/providers.ts';
import { loadConfig } from '@kopeck/runtime/config';
import { sbpConfig } from '../src/config.ts';
import { readYookassaCallback } from '../src/yookassa/callback.ts';
import { stateOf } from '../src/yookassa/states.ts';

const config = loadConfig(sbpConfig, {
  DATABASE_URL: 'mysql://sbp:secret@127.0.0.1:3306/kopeck',
  REDIS_URL: 'redis://127.0.0.1:6379/0',
  JOURNAL_DIR: '/journal',
  WEBHOOK_API_TOKEN: 'shop-token-shop-token-shop-token-shop',
  YOOKASSA_SHOP_ID: '100500',
  YOOKASSA_SECRET_KEY: 'test_secret_test_secret_test_secret_x',
});
const incidents = { open: () => undefined, close: () => undefined };
const providers = openProviders(config, { now: () => new Date(0), incidents });
const networks = providers['yookassa']?.callbacks.networks ?? [];

test.each([
  ['77.75.154.128', true],
  ['77.75.154.255', true],
  ['77.75.154.127', false],
  ['185.71.76.31', true],
  ['185.71.76.32', false],
  ['77.75.156.11', true],
  ['77.75.156.12', false],
  ['2a02:5180::1', true],
  ['2a02:5181::1', false],
  ['::ffff:185.71.77.1', true],
  ['not an address', false],
  ['', false],
])('an address of YooKassa: %s is %s', (address, isTheirs) => {
  expect(isFromOneOf(address, networks)).toBe(isTheirs);
});

test('a callback tells the payment, and of a refund the payment that it is of', () => {
  const metadata = { orderId: 'attempt-1' };
  const object = { id: '22e12f66-000f-5000-8000-18db351245c7', metadata, unheardOf: [1] };
  expect(read({ type: 'notification', event: 'payment.succeeded', object })).toEqual({
    ok: true,
    value: { attemptId: 'attempt-1', paymentId: object.id },
  });
  const refund = { id: 'refund-1', payment_id: object.id, status: 'succeeded' };
  expect(read({ event: 'refund.succeeded', object: refund })).toEqual({
    ok: true,
    value: { attemptId: null, paymentId: object.id },
  });
});

test.each(['[]', '{', '{}', '{"event":"payment.succeeded","object":{"id":"a b"}}'])(
  'a callback of %s is malformed',
  (text) => {
    expect(readYookassaCallback({ header: () => undefined, body: Buffer.from(text) })).toEqual({
      ok: false,
      rejection: 'malformed',
    });
  },
);

test.each([
  ['pending', null, 'pending'],
  ['waiting_for_capture', null, 'pending'],
  ['succeeded', null, 'paid'],
  ['canceled', 'general_decline', 'failed'],
  ['canceled', 'expired_on_confirmation', 'expired'],
  ['invented', null, 'pending'],
])('%s for %s of YooKassa means %s', (word, reason, status) => {
  expect(stateOf(word, reason)).toBe(status);
});

test('a shop that may not draw codes itself gets a page of YooKassa, by a key of its own', async () => {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      keys.push(request.headers['idempotence-key']);
      const { type } = (body as { confirmation: { type: string } }).confirmation;
      const confirmation = { type, confirmation_url: 'https://yoomoney.example/pay/1' };
      response.statusCode = type === 'qr' ? 400 : 200;
      response.end(JSON.stringify({ id: 'payment-1', status: 'pending', confirmation }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { yookassa } = openProviders(
    { ...config, YOOKASSA_URL: url },
    { now: () => new Date(0), incidents },
  );
  const request = {
    attemptId: 'attempt-1',
    kopecks: 10_000n,
    expiresAt: new Date(3_600_000),
    description: null,
    returnUrl: null,
  };
  expect(await yookassa?.createQr(request)).toEqual({
    paymentId: 'payment-1',
    qrcId: null,
    link: 'https://yoomoney.example/pay/1',
  });
  expect(keys).toEqual(['attempt-1', 'attempt-1-redirect']);
  server.close();
});

function read(notification: object) {
  const body = Buffer.from(JSON.stringify(notification));
  return readYookassaCallback({ header: () => undefined, body });
}
