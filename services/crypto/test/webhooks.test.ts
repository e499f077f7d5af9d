import { once } from 'node:events';
import { request } from 'node:http';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  BOT_SECRET,
  fixture,
  MAIN_TOKEN,
  OLD_BOT_SECRET,
  signatureOf,
  TESTNET_TOKEN,
  VECTORS,
} from './partners.ts';
import {
  ask,
  CREDENTIALS,
  postCryptobot,
  postTelegram,
  runCrypto,
  type RunningCrypto,
} from './running-crypto.ts';

const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
let crypto: RunningCrypto;
let redis: Redis;
let queue: Queue<KopeckEvent>;

beforeAll(async () => {
  crypto = await runCrypto({ ...CREDENTIALS, REDIS_URL, REDIS_PREFIX });
  redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
  queue = new Queue('events-crypto', { connection: redis, prefix: REDIS_PREFIX });
});

afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await crypto.close();
});

function queued(id: string): Promise<KopeckEvent> {
  return waitFor(
    async () => {
      const jobs = await queue.getJobs('waiting');
      return jobs.map(({ data }) => data).find((event) => event.id === id);
    },
    { what: `${id} on the queue` },
  );
}

const idOf = ({ body }: { body: unknown }): string => (body as { id: string }).id;

describe('POST /webhook/cryptobot', () => {
  test.each([
    ['cb-v1-minimal.json', 'payment.paid'],
    ['cb-invoice-paid-fiat-swap.json', 'payment.paid'],
    ['cb-trap-reserialise.json', 'payment.paid'],
    ['cb-malformed-truncated.txt', 'quarantined'],
    ['cb-malformed-payload-null.json', 'quarantined'],
    ['cb-malformed-status-active.json', 'quarantined'],
  ])('%s is accepted, and goes to the queue as %s', async (name, type) => {
    const reply = await postCryptobot(crypto, fixture(name));
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ ok: true, status: 'accepted', id: idOf(reply) });
    expect(await queued(idOf(reply))).toMatchObject({ type, source: 'cryptobot' });
  });

  test('an unknown type of update is ignored', async () => {
    const reply = await postCryptobot(crypto, fixture('cb-unknown-update-type.json'));
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ ok: true, status: 'ignored' });
  });

  test('an invoice of the test network is accepted as one', async () => {
    const body = fixture('cb-testnet-jet.json');
    const headers = { 'crypto-pay-api-signature': signatureOf(body, TESTNET_TOKEN) };
    const reply = await postCryptobot(crypto, body, headers);
    expect(await queued(idOf(reply))).toMatchObject({ network: 'test' });
  });

  test('a repeat, and a redelivery of another date, are duplicates', async () => {
    const first = await postCryptobot(crypto, fixture('cb-invoice-paid-crypto.json'));
    const body = { ok: true, duplicate: true, status: 'duplicate', id: idOf(first) };
    const duplicate = { status: 200, body };
    const again = fixture('cb-invoice-paid-crypto.json');
    expect(await postCryptobot(crypto, again)).toMatchObject(duplicate);
    const later = fixture('cb-invoice-paid-crypto-redelivery.json');
    expect(await postCryptobot(crypto, later)).toMatchObject(duplicate);
  });

  test('the genuine twin of what was quarantined is accepted under its business identity', async () => {
    const malformed = await postCryptobot(crypto, fixture('cb-malformed-status-active.json'));
    const text = fixture('cb-malformed-status-active.json').toString();
    const genuine = await postCryptobot(crypto, text.replace('"active"', '"paid"'));

    expect(idOf(malformed)).toMatch(/^cryptobot\.quarantined\./);
    expect(genuine).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect(await queued(idOf(genuine))).toMatchObject({
      type: 'payment.paid',
      subject: 'payment:cryptobot:31337:main:41877121',
    });
  });

  test('the signature may be in upper case', async () => {
    const body = fixture('cb-v1-minimal.json');
    const headers = { 'Crypto-Pay-API-Signature': signatureOf(body).toUpperCase() };
    expect((await postCryptobot(crypto, body, headers)).status).toBe(200);
  });

  test.each([
    ['none', {}],
    ['an empty one', { 'crypto-pay-api-signature': '' }],
    ['63 digits', { 'crypto-pay-api-signature': '0'.repeat(63) }],
    ['the hex key', { 'crypto-pay-api-signature': VECTORS.wrong_hexkey_sig_for_v1 }],
    ['the token key', { 'crypto-pay-api-signature': VECTORS.wrong_tokenkey_sig_for_v1 }],
  ])('as a signature, %s is refused', async (_what, headers) => {
    const reply = await postCryptobot(crypto, fixture('cb-v1-minimal.json'), headers);
    expect(reply.status).toBe(401);
    expect(reply.body).toEqual({ error: 'forged' });
  });

  test('a signature that comes twice is refused', async () => {
    const body = fixture('cb-v1-minimal.json');
    const signature = signatureOf(body);
    const sent = request(`${crypto.url}/webhook/cryptobot`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'crypto-pay-api-signature': [signature, signature],
      },
    });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(401);
  });

  test('a flipped bit in the first, a middle and the last byte of each body is refused', async () => {
    for (const name of Object.keys(VECTORS.out)) {
      const body = fixture(name);
      const headers = { 'crypto-pay-api-signature': signatureOf(body) };
      for (const at of [0, body.length >> 1, body.length - 1]) {
        const changed = Buffer.from(body);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        expect((await postCryptobot(crypto, changed, headers)).status).toBe(401);
      }
    }
  });

  test('a body of 64 KiB is read, a larger one is not', async () => {
    const filler = (length: number): string => `{"update_type":"x","f":"${'x'.repeat(length)}"}`;
    const size = 65_536 - filler(0).length;
    expect((await postCryptobot(crypto, filler(size))).status).toBe(200);
    expect((await postCryptobot(crypto, filler(size + 1))).status).toBe(413);
  });
});

describe('POST /webhook/telegram', () => {
  test.each([
    ['tg-successful-payment.json', 'payment.paid'],
    ['tg-successful-payment-recurring-first.json', 'payment.paid'],
    ['tg-successful-payment-recurring-renewal.json', 'payment.paid'],
    ['tg-refunded-payment.json', 'payment.refunded'],
    ['tg-subscription-canceled.json', 'subscription.changed'],
    ['tg-subscription-failed.json', 'subscription.changed'],
    ['tg-purchased-paid-media.json', 'media.purchased'],
    ['tg-get-star-transactions.json', 'quarantined'],
  ])('%s is accepted, and goes to the queue as %s', async (name, type) => {
    const reply = await postTelegram(crypto, fixture(name));
    expect(reply).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect(await queued(idOf(reply))).toMatchObject({ type, source: 'telegram' });
    const again = await postTelegram(crypto, fixture(name));
    expect(again).toMatchObject({ status: 200, body: { id: idOf(reply) } });
  });

  test.each(['tg-text-message.json', 'tg-edited-message.json', 'tg-my-chat-member-blocked.json'])(
    '%s is ignored',
    async (name) => {
      const reply = await postTelegram(crypto, fixture(name));
      expect(reply).toMatchObject({ status: 200, body: { status: 'ignored' } });
    },
  );

  test('the genuine twin of what was quarantined is accepted under its business identity', async () => {
    const charge = 'stx-twin';
    const genuine = fixture('tg-successful-payment.json')
      .toString()
      .replace(/"telegram_payment_charge_id":"[^"]+"/, `"telegram_payment_charge_id":"${charge}"`);
    const malformed = genuine.replace('"total_amount":150', '"total_amount":0');

    const first = await postTelegram(crypto, malformed);
    const second = await postTelegram(crypto, genuine);
    expect(idOf(first)).toMatch(/^telegram\.quarantined\./);
    expect(second).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect((await queued(idOf(second))).subject).toBe(`payment:telegram:7000000001:${charge}`);
  });

  test('the secret before the current one is still accepted', async () => {
    const headers = { 'x-telegram-bot-api-secret-token': OLD_BOT_SECRET };
    const reply = await postTelegram(crypto, fixture('tg-text-message.json'), headers);
    expect(reply.status).toBe(200);
  });

  test.each([
    ['none', {}],
    ['an empty one', { 'x-telegram-bot-api-secret-token': '' }],
    ['one character off', { 'x-telegram-bot-api-secret-token': 'test_Secret-124' }],
    ['two', { 'x-telegram-bot-api-secret-token': `${BOT_SECRET}, ${BOT_SECRET}` }],
  ])('as a secret, %s is refused before the body is looked at', async (_what, headers) => {
    const reply = await postTelegram(crypto, 'x'.repeat(300_000), headers);
    expect(reply).toMatchObject({ status: 401, body: { error: 'forged' } });
  });

  test('an update of more than 64 KiB is read, one above 256 KiB is not', async () => {
    const filler = (length: number): string => `{"update_id":1,"f":"${'x'.repeat(length)}"}`;
    const size = 262_144 - filler(0).length;
    expect((await postTelegram(crypto, filler(size))).status).toBe(200);
    expect((await postTelegram(crypto, filler(size + 1))).status).toBe(413);
  });
});

describe('either webhook', () => {
  const paths = ['/webhook/cryptobot', '/webhook/telegram'];
  const secret = { 'x-telegram-bot-api-secret-token': BOT_SECRET };

  test.each(paths)('%s takes POST alone', async (path) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(`${crypto.url}${path}`, { method });
      expect([method, response.status]).toEqual([method, 405]);
      expect(response.headers.get('allow')).toBe('POST');
    }
  });

  test.each(paths)('%s takes JSON alone', async (path) => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { ...secret, 'content-type': type };
      const reply = await ask(`${crypto.url}${path}`, { method: 'POST', headers, body: '{}' });
      expect(reply.status).toBe(415);
    }
  });

  test.each(paths)('%s takes no compressed body', async (path) => {
    const headers = { ...secret, 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const reply = await ask(`${crypto.url}${path}`, { method: 'POST', headers, body: '{}' });
    expect(reply.status).toBe(415);
  });

  test.each(['/webhook/cryptobot/', '/Webhook/cryptobot', '/webhook', '/'])(
    '%s is no path of ours',
    async (path) => {
      expect((await ask(`${crypto.url}${path}`, { method: 'POST' })).status).toBe(404);
    },
  );
});

test('GET /health gives the time in seconds', async () => {
  const before = Math.floor(Date.now() / 1000);
  const { status, body } = await ask(`${crypto.url}/health`);
  expect([status, body]).toEqual([200, { status: 'healthy', timestamp: expect.any(Number) }]);
  const { timestamp } = body as { timestamp: number };
  expect(timestamp).toBeGreaterThanOrEqual(before);
  expect(timestamp).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
});

describe('without credentials', () => {
  let bare: RunningCrypto;
  beforeAll(async () => {
    bare = await runCrypto({ REDIS_URL, REDIS_PREFIX });
  });
  afterAll(() => bare.close());

  test('both webhooks answer 503, whatever the request carries', async () => {
    const paid = fixture('cb-v1-minimal.json');
    for (const reply of [
      await postCryptobot(bare, paid),
      await postCryptobot(bare, paid, {}),
      await postTelegram(bare, fixture('tg-successful-payment.json')),
      await postTelegram(bare, fixture('tg-successful-payment.json'), {}),
    ]) {
      expect(reply).toMatchObject({ status: 503, body: { error: 'unconfigured' } });
      expect(reply.headers.get('retry-after')).toBe('30');
    }
  });

  test('/ready says what is missing', async () => {
    const { body } = await ask(`${bare.metricsUrl}/ready`);
    expect((body as { warnings: string[] }).warnings).toEqual([
      expect.stringContaining('CRYPTOBOT_TOKEN'),
      expect.stringContaining('TELEGRAM_WEBHOOK_SECRET'),
      expect.stringContaining('CRYPTO_API_TOKEN'),
    ]);
  });
});

test('no token stands in what /metrics and /ready tell', async () => {
  for (const path of ['/metrics', '/ready']) {
    const text = await (await fetch(`${crypto.metricsUrl}${path}`)).text();
    for (const secret of [MAIN_TOKEN, TESTNET_TOKEN, BOT_SECRET])
      expect(text).not.toContain(secret);
  }
});
