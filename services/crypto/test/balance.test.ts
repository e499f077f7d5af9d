import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { sha256 } from '@kopeck/core/identity';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { sign, userOfInitData } from '../src/balance/init-data.ts';
import { API_TOKEN, BOT_TOKEN, MAIN_TOKEN } from './partners.ts';
import { ask, CREDENTIALS, runCrypto, type RunningCrypto } from './running-crypto.ts';
import { openSandboxPartners, type Json, type SandboxPartners } from './sandbox-partners.ts';

const LEDGER_TOKEN = 'a-token-that-reads-users-balances-0002';
const ORIGIN = 'https://app.shop.test';
const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));

let amount = '1500';
let ledger: Server;
let partners: SandboxPartners;
let crypto: RunningCrypto;

/** What the ledger's read API answers; the ledger itself is tried in its own tests and end to end. */
function answerOf(path: string): object {
  return path.includes('/subscriptions/')
    ? { subscriptions: [{ plan: 'pro', activeUntil: '2026-11-04T12:00:00.000Z' }] }
    : { balances: [{ asset: 'NDN', amount }] };
}

beforeAll(async () => {
  ledger = createServer((request, response) => {
    const isAllowed = request.headers.authorization === `Bearer ${LEDGER_TOKEN}`;
    const isOf5 = request.url?.includes('user%3A5') === true;
    response.writeHead(isAllowed && isOf5 ? 200 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answerOf(request.url ?? '')));
  });
  ledger.listen(0, '127.0.0.1');
  await once(ledger, 'listening');
  partners = await openSandboxPartners();
  crypto = await runCrypto({
    ...CREDENTIALS,
    ...partners.env,
    REDIS_URL,
    REDIS_PREFIX,
    LEDGER_URL: `http://127.0.0.1:${(ledger.address() as AddressInfo).port}`,
    LEDGER_USER_API_TOKEN: LEDGER_TOKEN,
    MINI_APP_ORIGINS: ORIGIN,
  });
  await partners.deliverTo(crypto.url);
});

afterAll(async () => {
  await crypto.close();
  await partners.close();
  ledger.close();
  ledger.closeAllConnections();
});

function initData(token = BOT_TOKEN, at = new Date(), more: Record<string, string> = {}): string {
  const fields: [string, string][] = Object.entries({
    query_id: 'AAE',
    user: JSON.stringify({ id: 5, first_name: 'Мария', language_code: 'ru' }),
    auth_date: String(Math.floor(at.getTime() / 1_000)),
    signature: 'of-the-third-party-scheme',
    ...more,
  });
  const hash = sign(fields, token).toString('hex');
  return new URLSearchParams([...fields, ['hash', hash]]).toString();
}

const withData = (data: string) => ({ headers: { authorization: `tma ${data}`, origin: ORIGIN } });

test("initData is believed with the bot's own signature, for a day, and with every bit as it was", () => {
  const now = new Date('2026-10-05T12:00:00.000Z');
  const rules = { botToken: BOT_TOKEN, maxAgeMs: 86_400_000, now };
  const data = initData(BOT_TOKEN, now);
  expect(userOfInitData(data, rules)).toBe('5');
  for (let at = 0; at < data.length; at += 1) {
    const changed = `${data.slice(0, at)}${data[at] === '1' ? '2' : '1'}${data.slice(at + 1)}`;
    expect(userOfInitData(changed, rules)).toBeNull();
  }
  expect(userOfInitData(initData(MAIN_TOKEN, now), rules)).toBeNull();
  expect(
    userOfInitData(initData(BOT_TOKEN, new Date(now.getTime() - 86_401_000)), rules),
  ).toBeNull();
  expect(userOfInitData(initData(BOT_TOKEN, new Date(now.getTime() + 120_000)), rules)).toBeNull();
  expect(userOfInitData(initData(BOT_TOKEN, now, { user: '{"id":-5}' }), rules)).toBeNull();
  expect(userOfInitData(`${data}&user=%7B%22id%22%3A6%7D`, rules)).toBeNull();
  for (const nonsense of ['', 'hash', 'hash=00', '%', '&&&=']) {
    expect(userOfInitData(nonsense, rules)).toBeNull();
  }
});

test('a Mini App reads the balance and plans of its user, from the origin that is allowed', async () => {
  const reply = await ask(`${crypto.url}/api/balance`, withData(initData()));
  expect(reply).toMatchObject({
    status: 200,
    body: {
      user: '5',
      balances: [{ asset: 'NDN', amount: '1500' }],
      subscriptions: [{ plan: 'pro' }],
    },
  });
  expect(reply.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect((await ask(`${crypto.url}/api/balance`)).status).toBe(401);
  expect((await ask(`${crypto.url}/api/balance`, withData(initData(MAIN_TOKEN)))).status).toBe(401);
});

test.each(['/api/balance', '/api/balance/ticket', '/api/balance/stream'])(
  'a browser that asks before %s is let in from the origin that is allowed, and from no other',
  async (path) => {
    const preflight = async (origin: string): Promise<readonly unknown[]> => {
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      };
      const reply = await ask(`${crypto.url}${path}`, { method: 'OPTIONS', headers });
      expect(reply.headers.get('vary')).toContain('Origin');
      const names = ['origin', 'headers', 'methods'];
      return [
        reply.status,
        ...names.map((name) => reply.headers.get(`access-control-allow-${name}`)),
      ];
    };
    expect(await preflight(ORIGIN)).toEqual([204, ORIGIN, 'Authorization', 'GET, POST']);
    expect(await preflight('https://evil.test')).toEqual([204, null, null, null]);
    expect(await preflight(`${ORIGIN}.evil.test`)).toEqual([204, null, null, null]);
  },
);

test('the stream shows a credit as it comes, and its ticket opens it once', async () => {
  const reply = await ask(`${crypto.url}/api/balance/ticket`, {
    method: 'POST',
    ...withData(initData()),
  });
  const { ticket } = reply.body as { ticket: string };
  const redis = new Redis(REDIS_URL);
  const seconds = await redis.ttl(`${REDIS_PREFIX}:events-crypto:ticket:${sha256(ticket)}`);
  redis.disconnect();
  expect(seconds).toBeGreaterThan(30);
  expect(seconds).toBeLessThanOrEqual(60);
  const url = `${crypto.url}/api/balance/stream?ticket=${ticket}`;
  const stopping = new AbortController();
  const stream = await fetch(url, { signal: stopping.signal });
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  expect((await ask(url)).status).toBe(401);

  let text = '';
  const reading = (async () => {
    for await (const chunk of stream.body ?? [])
      text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => undefined);
  await waitFor(() => text.includes('"amount":"1500"'));
  expect(text.startsWith('retry: 1000\n\n')).toBe(true);
  amount = '3000';
  await waitFor(() => text.includes('"amount":"3000"'));
  stopping.abort();
  await reading;
});

test('a refund of Stars may be asked for twice, and only of a charge that there is', async () => {
  const refund = (body: Json) =>
    ask(`${crypto.url}/api/stars/refund`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_TOKEN}` },
      body: JSON.stringify(body),
    });
  const { payment } = await partners.control('bot/pay', {
    user: 5,
    stars: 5,
    recurring: 'renewal',
  });
  const { chargeId } = payment as { chargeId: string };
  expect((await refund({ user: 5, chargeId })).body).toMatchObject({ alreadyRefunded: false });
  expect((await refund({ user: 5, chargeId })).body).toMatchObject({
    success: true,
    alreadyRefunded: true,
  });
  expect(await refund({ user: 5, chargeId: 'nope' })).toMatchObject({ status: 422 });
  expect(await refund({ user: 5 })).toMatchObject({ status: 400, body: { fields: ['chargeId'] } });
});
