import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestRedis } from '@kopeck/testing/test-database';
import { sign } from '../src/balance/init-data.ts';
import { readOpenApi } from './open-api.ts';
import { API_TOKEN, BOT_SECRET, BOT_TOKEN, fixture, signatureOf } from './partners.ts';
import { CREDENTIALS, runCrypto, type RunningCrypto } from './running-crypto.ts';
import { openSandboxPartners, type SandboxPartners } from './sandbox-partners.ts';

const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
const api = readOpenApi();

let ledger: Server;
let partners: SandboxPartners;
let crypto: RunningCrypto;
/** Nothing is configured there. */
let bare: RunningCrypto;
/** Its partners cannot be reached. */
let alone: RunningCrypto;
/** Its bot's token is no longer valid. */
let revoked: RunningCrypto;

beforeAll(async () => {
  ledger = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"balances":[{"asset":"NDN","amount":"1500"}],"subscriptions":[]}');
  });
  ledger.listen(0, '127.0.0.1');
  await once(ledger, 'listening');
  partners = await openSandboxPartners();
  const LEDGER_URL = `http://127.0.0.1:${(ledger.address() as AddressInfo).port}`;
  const LEDGER_USER_API_TOKEN = 'a-token-that-reads-users-balances-0002';
  const common = { REDIS_URL, REDIS_PREFIX };
  const env = { ...CREDENTIALS, ...common, LEDGER_URL, LEDGER_USER_API_TOKEN };
  const nowhere = {
    CRYPTOBOT_API_URL: 'http://127.0.0.1:9',
    TELEGRAM_API_URL: 'http://127.0.0.1:9',
  };
  [crypto, bare, alone, revoked] = await Promise.all([
    runCrypto({ ...env, ...partners.env }),
    runCrypto(common),
    runCrypto({ ...env, ...nowhere, CRYPTOBOT_TESTNET_TOKEN: '' }),
    runCrypto({ ...env, ...partners.env, TELEGRAM_BOT_TOKEN: `${BOT_TOKEN}x` }),
  ]);
  await partners.deliverTo(crypto.url);
});

afterAll(async () => {
  for (const service of [crypto, bare, alone, revoked]) await service.close();
  await partners.close();
  ledger.close();
  ledger.closeAllConnections();
});

interface Asked {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: RunningCrypto;
  readonly query?: string;
}

async function expectStatus(
  status: number,
  [method, path]: readonly [string, string],
  { body, headers = {}, at = crypto, query = '' }: Asked = {},
): Promise<Response> {
  const init = {
    method: method.toUpperCase(),
    headers: {
      authorization: `Bearer ${API_TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  };
  const response = await api.ask(method, path, new Request(`${at.url}${path}${query}`, init));
  expect(`${method} ${path} ${response.status}`).toBe(`${method} ${path} ${status}`);
  return response;
}

const STRANGER = { authorization: 'Bearer nobody' };

test('invoices: every answer is one that the document has, in the shape that it says', async () => {
  const sold = '{"user":5,"ndn":1500,"asset":"USDT","amount":"4.5","orderId":"kp_1"}';
  const crypt = ['post', '/api/crypto/invoice'] as const;
  await expectStatus(200, crypt, { body: sold });
  await expectStatus(400, crypt, { body: '{"user":5}' });
  await expectStatus(401, crypt, { body: sold, headers: STRANGER });
  await expectStatus(409, crypt, { body: sold.replace('4.5', '5') });
  await expectStatus(422, crypt, { body: sold.replace('USDT', 'NOPE').replace('kp_1', 'kp_2') });
  await expectStatus(502, crypt, { body: sold.replace('kp_1', 'kp_3'), at: alone });
  await expectStatus(503, crypt, { body: sold, at: bare });

  const stars = ['post', '/api/stars/invoice'] as const;
  await expectStatus(200, stars, { body: '{"user":"5","ndn":"1500","orderId":"kp_4"}' });
  await expectStatus(400, stars, { body: '{' });
  await expectStatus(401, stars, { body: '{}', headers: STRANGER });
  await expectStatus(409, stars, { body: '{"user":5,"ndn":7,"orderId":"kp_4"}' });
  await expectStatus(422, stars, { body: '{"user":5,"ndn":7}', at: revoked });
  await expectStatus(502, stars, { body: '{"user":5,"ndn":7}', at: alone });
  await expectStatus(503, stars, { body: '{}', at: bare });
});

test('refunds and reconciliation', async () => {
  const bought = { user: 5, stars: 5, recurring: 'renewal' };
  const { payment } = await partners.control('bot/pay', bought);
  const { chargeId } = payment as { chargeId: string };
  const refund = ['post', '/api/stars/refund'] as const;
  const body = JSON.stringify({ user: 5, chargeId });
  await expectStatus(200, refund, { body });
  await expectStatus(400, refund, { body: '{}' });
  await expectStatus(401, refund, { body, headers: STRANGER });
  await expectStatus(422, refund, { body: '{"user":5,"chargeId":"nope"}' });
  await expectStatus(503, refund, { body, at: alone });
  await expectStatus(200, ['post', '/api/crypto/reconcile']);
  await expectStatus(401, ['post', '/api/crypto/reconcile'], { headers: STRANGER });
});

test('balances', async () => {
  const fields: [string, string][] = [
    ['auth_date', String(Math.floor(Date.now() / 1_000))],
    ['user', '{"id":5}'],
  ];
  const hash = sign(fields, BOT_TOKEN).toString('hex');
  const data = new URLSearchParams([...fields, ['hash', hash]]).toString();
  const headers = { authorization: `tma ${data}` };
  await expectStatus(200, ['get', '/api/balance'], { headers });
  await expectStatus(401, ['get', '/api/balance']);
  await expectStatus(503, ['get', '/api/balance'], { headers, at: bare });
  const answer = await expectStatus(200, ['post', '/api/balance/ticket'], { headers });
  await expectStatus(401, ['post', '/api/balance/ticket']);
  const { ticket } = (await answer.json()) as { ticket: string };
  const stream = ['get', '/api/balance/stream'] as const;
  const opened = await expectStatus(200, stream, { query: `?ticket=${ticket}` });
  await opened.body?.cancel();
  await expectStatus(401, stream, { query: `?ticket=${ticket}` });
  await expectStatus(503, stream, { at: bare });
});

test('webhooks', async () => {
  const body = fixture('cb-v1-minimal.json').toString();
  const secret = { 'x-telegram-bot-api-secret-token': BOT_SECRET };
  const huge = 'x'.repeat(300_000);
  const cryptobot = ['post', '/webhook/cryptobot'] as const;
  const signature = { 'crypto-pay-api-signature': signatureOf(Buffer.from(body)) };
  await expectStatus(200, cryptobot, { body, headers: signature });
  await expectStatus(401, cryptobot, { body });
  await expectStatus(413, cryptobot, { body: huge, headers: signature });
  await expectStatus(415, cryptobot, { body, headers: { 'content-type': 'text/plain' } });
  await expectStatus(503, cryptobot, { body, at: bare });
  const telegram = ['post', '/webhook/telegram'] as const;
  for (const name of ['tg-pre-checkout-query', 'tg-successful-payment', 'tg-text-message']) {
    const update = fixture(`${name}.json`).toString();
    await expectStatus(200, telegram, { body: update, headers: secret });
  }
  await expectStatus(401, telegram, { body });
  await expectStatus(413, telegram, { body: huge, headers: secret });
  await expectStatus(415, telegram, { body, headers: { ...secret, 'content-type': 'text/plain' } });
  await expectStatus(503, telegram, { body, at: bare });
  await expectStatus(200, ['get', '/health']);
});

test('everything that the document says can be had was had', () => {
  expect(api.missing()).toEqual([]);
});

test('what the document does not have, the service does not have', async () => {
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
      if (operations[method] !== undefined) continue;
      const { status } = await fetch(`${crypto.url}${path}`, { method: method.toUpperCase() });
      expect({ path, method, status }).toEqual({ path, method, status: 405 });
    }
  }
});
