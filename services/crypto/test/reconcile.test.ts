import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { EventOf, KopeckEvent } from '@kopeck/core/event';
import { eventId } from '@kopeck/core/identity';
import { isRecord, parseJsonText } from '@kopeck/core/json';
import { INCIDENT_QUEUE, type IncidentReport } from '@kopeck/runtime/incidents';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { cryptobotSource } from '../src/cryptobot/source.ts';
import { eventOf as eventOfInvoice } from '../src/reconcile/invoices.ts';
import { eventOf as eventOfTransaction } from '../src/reconcile/transactions.ts';
import { telegramSource } from '../src/telegram/source.ts';
import {
  API_TOKEN,
  BOT_SECRET,
  BOT_TOKEN,
  eventOf,
  fixture,
  fromCryptoPay,
  fromTelegram,
  MAIN_TOKEN,
} from './partners.ts';
import { ask, CREDENTIALS, runCrypto, type RunningCrypto } from './running-crypto.ts';
import { openSandboxPartners, type Json, type SandboxPartners } from './sandbox-partners.ts';

const now = new Date('2026-10-08T12:00:00.000Z');

/** All by which the ledger tells whether it knows an event. */
const identity = ({ id, contenthash, subject, time }: KopeckEvent) => [
  id,
  contenthash,
  subject,
  time,
];

describe('a payment of a list is the same event as its webhook', () => {
  test.each(['cb-invoice-paid-crypto.json', 'cb-invoice-paid-fiat-swap.json'])(
    '%s',
    async (name) => {
      const body = fixture(name);
      const source = cryptobotSource({ CRYPTOBOT_TOKEN: [MAIN_TOKEN] });
      const update = parseJsonText(body) as { payload: Json };
      const { fee: _fee, usd_rate: _rate, ...item } = update.payload;
      const listed = eventOfInvoice(item, { app: '31337', network: 'main' }, now);
      const sent = await eventOf(source, fromCryptoPay(body));
      expect(listed && identity(listed)).toEqual(identity(sent));
      expect(listed?.data).toEqual(sent.data);
    },
  );

  test('getStarTransactions: a payment, a subscription, a refund, and a withdrawal that is none', async () => {
    const source = telegramSource({
      TELEGRAM_BOT_TOKEN: BOT_TOKEN,
      TELEGRAM_WEBHOOK_SECRET: [BOT_SECRET],
    });
    const answer = parseJsonText(fixture('tg-get-star-transactions.json')) as {
      result: { transactions: unknown[] };
    };
    const listed = answer.result.transactions
      .filter(isRecord)
      .map((each) => eventOfTransaction(each, '7000000001', now));
    const sent = await Promise.all(
      ['successful-payment', 'successful-payment-recurring-first', 'refunded-payment'].map((name) =>
        eventOf(source, fromTelegram(fixture(`tg-${name}.json`))),
      ),
    );
    expect(listed.map((event) => event && identity(event))).toEqual([...sent.map(identity), null]);
  });

  const source = {
    type: 'user',
    transaction_type: 'invoice_payment',
    user: { id: '5' },
    invoice_payload: 'x',
  };
  const transaction = { id: 'stx', amount: '90', date: '1791206105', source };

  test.each([
    ['an affiliate had a share', { ...transaction, source: { ...source, affiliate: {} } }],
    ['the bot got a part of a Star', { ...transaction, nanostar_amount: '5' }],
  ])('where %s, the list tells of a payment and not of its amount', (_what, shared) => {
    const whole = eventOfTransaction(transaction, '7', now);
    const event = eventOfTransaction(shared, '7', now);
    expect(event).toMatchObject({
      ...whole,
      contenthash: expect.any(String) as string,
      data: { paid: null },
      evidence: expect.any(String) as string,
    });
    expect(event?.contenthash).not.toBe(whole?.contenthash);
    const { source: receiver, ...rest } = shared;
    expect(eventOfTransaction({ ...rest, receiver }, '7', now)).toBeNull();
  });

  test('paid media is a payment by its payload, and what the bot itself has bought is none', () => {
    const { invoice_payload: _payload, ...partner } = source;
    const media = {
      ...partner,
      transaction_type: 'paid_media_payment',
      paid_media_payload: 'pm:7',
    };
    const event = eventOfTransaction({ ...transaction, source: media }, '7', now);
    expect(event).toMatchObject({
      type: 'payment.paid',
      data: { reference: 'pm:7', paid: { asset: 'XTR', amount: '90' }, payer: '5' },
    });
    for (const bought of ['gift_purchase', 'premium_purchase', 'business_account_transfer']) {
      const other = { ...source, transaction_type: bought };
      expect(eventOfTransaction({ ...transaction, source: other }, '7', now)).toBeNull();
    }
  });
});

describe('with every webhook dropped', () => {
  const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
  let partners: SandboxPartners;
  let crypto: RunningCrypto;

  beforeAll(async () => {
    partners = await openSandboxPartners();
    crypto = await runCrypto({ ...CREDENTIALS, ...partners.env, REDIS_URL, REDIS_PREFIX });
  });

  beforeEach(async () => partners.deliverTo(crypto.url));

  afterAll(async () => {
    await crypto.close();
    await partners.close();
  });

  async function reconcile(): Promise<readonly Json[]> {
    const { body } = await ask(`${crypto.url}/api/crypto/reconcile`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_TOKEN}` },
    });
    return (body as { reconciled: readonly Json[] }).reconciled;
  }

  /** What the courier would be told, by nobody taken yet. */
  async function reported(prefix: string): Promise<readonly string[]> {
    const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
    const queue = new Queue<IncidentReport>(INCIDENT_QUEUE, {
      connection: redis,
      prefix: REDIS_PREFIX,
    });
    const jobs = await queue.getJobs(['waiting']);
    await queue.close();
    redis.disconnect();
    return jobs.map(({ data }) => `${data.kind} ${data.state}`).filter((x) => x.startsWith(prefix));
  }

  async function webhooks(state: 'deliver' | 'drop'): Promise<void> {
    await partners.control('crypto-pay/knobs', { webhooks: state }, 'PATCH');
    await partners.control('bot/knobs', { webhooks: state }, 'PATCH');
  }

  async function payAll(from: number, count: number): Promise<void> {
    for (let id = from; id < from + count; id += 1) {
      await partners.control('crypto-pay/send', { invoice_id: id });
      await partners.control('bot/pay', { user: id, stars: 5, recurring: 'renewal' });
    }
  }

  test('one run takes all payments in, once; a webhook that comes late changes nothing', async () => {
    await payAll(100, 3);
    await webhooks('drop');
    await payAll(200, 120);
    const first = await reconcile();
    expect(first).toEqual([
      { account: 'cryptobot:31337:main', state: 'done', checked: 123, found: 120 },
      { account: 'cryptobot:40400:test', state: 'done', checked: 0, found: 0 },
      { account: 'telegram:7000000001', state: 'done', checked: 123, found: 120 },
    ]);
    await waitFor(async () => (await reported('webhook-missed:')).length >= 3);
    expect((await reconcile()).map(({ checked }) => checked)).toEqual([0, 0, 0]);
    await waitFor(async () => (await reported('webhook-missed:')).length >= 5);
    expect((await reported('webhook-missed:')).toSorted()).toEqual([
      'webhook-missed:cryptobot:31337:main closed',
      'webhook-missed:cryptobot:31337:main open',
      'webhook-missed:cryptobot:40400:test closed',
      'webhook-missed:telegram:7000000001 closed',
      'webhook-missed:telegram:7000000001 open',
    ]);

    await webhooks('deliver');
    const late = await partners.control('crypto-pay/send', { invoice_id: 200 });
    expect(late['delivery']).toMatchObject({ status: 200, body: { status: 'duplicate' } });
    await payAll(400, 1);
    expect((await reconcile()).map(({ found }) => found)).toEqual([0, 0, 0]);
  });

  /** What stands in the queue of a charge: with its amount, or 'unknown'. */
  async function journaled(chargeId: unknown): Promise<readonly string[]> {
    const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
    const queue = new Queue<EventOf<'payment.paid'>>('events-crypto', {
      connection,
      prefix: REDIS_PREFIX,
    });
    const jobs = await queue.getJobs(['waiting', 'prioritized', 'delayed']);
    await queue.close();
    connection.disconnect();
    return jobs
      .filter(({ data }) => data.type === 'payment.paid' && data.data.paymentId === chargeId)
      .map(({ data }) => data.data.paid?.amount ?? 'unknown');
  }

  test('a payment of which an affiliate had a share is found once, and not at all when its webhook came', async () => {
    await webhooks('deliver');
    const shared = { user: 800, stars: 100, affiliate: 10, recurring: 'renewal' };
    const heard = await partners.control('bot/pay', shared);
    const { chargeId } = heard['payment'] as Json;
    const id = eventId('telegram', 'payment.paid', ['7000000001', String(chargeId)]);
    const redis = new Redis(REDIS_URL);
    await waitFor(() => redis.exists(`${REDIS_PREFIX}:events-crypto:heard:${id}`));
    redis.disconnect();
    expect((await reconcile()).at(-1)).toMatchObject({ checked: 0, found: 0 });
    await waitFor(async () => (await journaled(chargeId)).join() === '100');

    await webhooks('drop');
    const missed = (await partners.control('bot/pay', shared))['payment'] as Json;
    expect((await reconcile()).at(-1)).toMatchObject({ checked: 1, found: 1 });
    await waitFor(async () => (await journaled(missed['chargeId'])).join() === 'unknown');
    expect((await reconcile()).at(-1)).toMatchObject({ checked: 0, found: 0 });
  });

  test('paid media is taken from the list, and no webhook is missed for it', async () => {
    await webhooks('deliver');
    const { chargeId } = await partners.control('bot/media', {
      user: 801,
      stars: 7,
      payload: 'pm:1',
    });
    expect((await reconcile()).at(-1)).toMatchObject({ checked: 1, found: 0 });
    await waitFor(async () => (await journaled(chargeId)).join() === '7');
  });

  test('a partner that cannot be asked fails alone, and the run after it catches up', async () => {
    await webhooks('drop');
    await payAll(500, 1);
    await partners.control('crypto-pay/knobs', { answers: 'lose' }, 'PATCH');
    expect((await reconcile()).map(({ state }) => state)).toEqual(['failed', 'failed', 'done']);
    await partners.control('crypto-pay/knobs', { answers: 'give' }, 'PATCH');
    expect((await reconcile()).map(({ found }) => found)).toEqual([1, 0, 0]);
  });
});
