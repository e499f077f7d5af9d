import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { openCryptoPay } from '@kopeck/sandbox/crypto-pay/crypto-pay';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { createTestRedis } from '@kopeck/testing/test-database';
import { BOT_SECRET, BOT_TOKEN, MAIN_TOKEN, TESTNET_TOKEN } from './partners.ts';
import { CREDENTIALS, runCrypto, type RunningCrypto } from './running-crypto.ts';

type Json = Record<string, unknown>;

let crypto: RunningCrypto;
let sandbox: Sandbox;
let origin: string;

beforeAll(async () => {
  const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
  crypto = await runCrypto({ ...CREDENTIALS, REDIS_URL, REDIS_PREFIX });
  const apps = [
    { token: MAIN_TOKEN, network: 'main' },
    { token: TESTNET_TOKEN, network: 'test' },
  ] as const;
  sandbox = createSandbox({
    doubles: [
      openCryptoPay({ apps, webhookUrl: `${crypto.url}/webhook/cryptobot` }),
      openBotApi({
        token: BOT_TOKEN,
        secret: BOT_SECRET,
        webhookUrl: `${crypto.url}/webhook/telegram`,
      }),
    ],
    now: () => new Date(),
  });
  origin = await sandbox.listen(0);
});

afterAll(async () => {
  await sandbox.close();
  await crypto.close();
});

async function control(path: string, body: Json, method: 'POST' | 'PATCH' = 'POST'): Promise<Json> {
  const response = await fetch(`${origin}/__sandbox/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Json;
}

describe('CryptoBot, played by its double,', () => {
  test('has its paid invoice accepted, and a repeat of it known', async () => {
    const first = await control('crypto-pay/send', { invoice_id: 12345 });
    expect(first['delivery']).toMatchObject({ status: 200, body: { status: 'accepted' } });
    const second = await control('crypto-pay/send', { invoice_id: 12345 });
    expect(second['delivery']).toMatchObject({ status: 200, body: { status: 'duplicate' } });
  });

  test('is believed in each of its apps, and its nonsense is kept', async () => {
    const testnet = await control('crypto-pay/send', { invoice_id: 12345, app_id: 40400 });
    expect(testnet['delivery']).toMatchObject({ status: 200, body: { status: 'accepted' } });
    const nonsense = await control('crypto-pay/webhook', { body: '{"update_id":' });
    expect(nonsense).toMatchObject({
      status: 200,
      body: { id: expect.stringMatching(/^cryptobot\.quarantined\./) as string },
    });
  });
});

describe('Telegram, played by its double,', () => {
  const payload = JSON.stringify({ telegram_id: 5123456789, amount_ndn: 1500 });

  test('asks, is let through, and has the payment accepted', async () => {
    const { checkout, payment } = await control('bot/pay', {
      user: 5123456789,
      stars: 150,
      payload,
    });
    expect(checkout).toMatchObject({ method: 'answerPreCheckoutQuery', ok: true });
    expect(payment).toMatchObject({ delivered: { status: 200, body: { status: 'accepted' } } });
  });

  test('is told in the language of the payer why a payment may not go ahead', async () => {
    const purchase = { user: 5, stars: 15, payload, languageCode: 'en' };
    expect(await control('bot/pay', purchase)).toMatchObject({
      checkout: { ok: false, error_message: expect.stringContaining('not valid') as string },
      payment: null,
    });
  });

  test('is not believed with another secret', async () => {
    await control('bot/knobs', { secret: 'another-secret' }, 'PATCH');
    expect(await control('bot/update', { message: {} })).toMatchObject({ status: 401 });
  });
});
