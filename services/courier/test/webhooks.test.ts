import type { Pool, RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import {
  createTestDatabase,
  createTestRedis,
  type TestDatabase,
} from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { replayDead } from '../src/deliveries.ts';
import type { Courier } from '../src/serve.ts';
import { startMailServer, startTestCourier, type MailServer } from './harness.ts';
import { startReceiver, type Receiver } from './receiver.ts';

const OLD_SECRET = `whsec_${Buffer.from('the secret before the current one').toString('base64')}`;
const NEW_SECRET = `whsec_${Buffer.from('the secret that is current, as of today').toString('base64')}`;
const BOT_TOKEN = '7000000001:AAbotTokenForUnitTestsOnly_0123456789';
const MINUTE_MS = 60_000;
/** `npm run test:webhooks` brings 10,000. */
const TOTAL = Number(process.env['WEBHOOKS'] ?? 400);

let database: TestDatabase;
let pool: Pool;
let receiver: Receiver;
let mails: MailServer;
let sandbox: Sandbox;
let origin: string;
let courier: Courier;
/** How far the courier's clock is ahead. */
let aheadMs = 0;

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  pool = openDatabase(database.url);
  mails = await startMailServer();
  const bot = openBotApi({ token: BOT_TOKEN, secret: 'unused-secret', webhookUrl: null });
  sandbox = createSandbox({ doubles: [bot], now: () => new Date() });
  origin = await sandbox.listen(0);
});

beforeEach(async () => {
  aheadMs = 0;
  receiver = await startReceiver(OLD_SECRET);
});

async function start(url = receiver.url): Promise<void> {
  const { prefix } = createTestRedis(inject('redisUrl'));
  courier = await startTestCourier(
    {
      DATABASE_URL: database.url,
      REDIS_URL: inject('redisUrl'),
      REDIS_PREFIX: prefix,
      SMTP_URL: mails.url,
      ALERT_EMAIL: 'operator@shop.test',
      FULFILMENT_URL: url,
      FULFILMENT_SECRET: [NEW_SECRET, OLD_SECRET],
      TELEGRAM_BOT_TOKEN: BOT_TOKEN,
      TELEGRAM_API_URL: `${origin}/telegram`,
    },
    () => new Date(Date.now() + aheadMs),
  );
}

afterEach(async () => {
  await courier.close();
  await receiver.close();
  await pool.query('DELETE FROM outbox');
});

afterAll(async () => {
  await sandbox.close();
  await mails.close();
  await pool.end();
  await database.drop();
});

async function put(kind: string, rows: readonly (readonly [string, object])[]): Promise<void> {
  const at = new Date();
  await pool.query(
    'INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at, subject) VALUES ?',
    [rows.map(([subject, payload]) => ['e', kind, JSON.stringify(payload), at, at, subject])],
  );
}

/** `count` webhooks of each subject, in turns. */
function webhooks(
  subjects: readonly string[],
  count: number,
): readonly (readonly [string, object])[] {
  return Array.from({ length: count }, (_, at) => at + 1).flatMap((sequence) =>
    subjects.map((subject) => {
      const id = `msg_${subject}_${sequence}`;
      return [subject, { id, type: 'payment.paid', data: {}, subject, sequence }] as const;
    }),
  );
}

async function outbox(): Promise<readonly RowDataPacket[]> {
  return (await pool.query<RowDataPacket[]>('SELECT * FROM outbox ORDER BY id'))[0];
}

/**
 * What has failed comes again at once instead of after five seconds, or minutes. The courier's clock
 * stays: the reference library takes no call that is five minutes ahead. A lease, of a minute, stays too.
 */
async function forgetTheWait(): Promise<void> {
  const now = Date.now();
  await pool.query(
    `UPDATE outbox SET next_attempt_at = ? WHERE kind = 'webhook' AND done_at IS NULL
      AND attempts > 0 AND (next_attempt_at BETWEEN ? AND ? OR next_attempt_at > ?)`,
    [now, now, now + 10_000, now + 70_000].map((at) => new Date(at)),
  );
}

const taken = (): readonly string[] =>
  receiver.calls.filter(({ status }) => status === 200).map(({ id }) => id);

test(
  'a flapping receiver gets every webhook, verified by the reference library and in order',
  async () => {
    const subjects = Array.from({ length: 40 }, (_, at) => `payment:${at}`);
    const each = TOTAL / subjects.length;
    await put('webhook', webhooks(subjects, each));
    const refused = new Set<string>();
    receiver.answer(({ id }, count) => {
      const isRefused = count % 10 === 3 && !refused.has(id);
      if (isRefused) refused.add(id);
      return { status: isRefused ? 503 : 200 };
    });
    await start();
    await waitFor(
      async () => {
        await forgetTheWait();
        return new Set(taken()).size === TOTAL;
      },
      // Longer than a lease: one that ended badly is brought again only then.
      { timeoutMs: 100_000 + TOTAL * 20, everyMs: 100 },
    );
    expect(receiver.forged()).toBe(0);
    for (const subject of subjects) {
      const order = receiver.calls.filter((call) => call.subject === subject && call.status < 300);
      // At least once: what was answered too late is brought again.
      expect([...new Set(order.map(({ sequence }) => sequence))]).toEqual(
        webhooks(['x'], each).map((_, at) => at + 1),
      );
    }
  },
  110_000 + TOTAL * 20,
);

test('what fails holds its subject back for five minutes, and nobody else', async () => {
  await put('webhook', webhooks(['held', 'other'], 3));
  receiver.answer(({ subject, sequence }) => ({
    status: subject === 'held' && sequence === 1 ? 500 : 200,
  }));
  await start();
  await waitFor(() => taken().length === 3);
  expect(taken()).toEqual(['msg_other_1', 'msg_other_2', 'msg_other_3']);
  aheadMs = 7_000;
  await waitFor(() => receiver.calls.filter(({ status }) => status === 500).length === 2);
  expect(taken()).toHaveLength(3);
  // As if five minutes had passed: the reference library takes no call from so far ahead.
  await pool.query('UPDATE outbox SET held_until = ? WHERE held_until IS NOT NULL', [new Date(0)]);
  await pool.query('UPDATE outbox SET next_attempt_at = ? WHERE held_until IS NULL', [new Date()]);
  await waitFor(() => taken().length === 5);
  expect(taken().slice(3)).toEqual(['msg_held_2', 'msg_held_3']);
});

test('a receiver that never answers one call gets the others meanwhile, and so do payers', async () => {
  await put('webhook', webhooks(['slow', ...Array.from({ length: 40 }, (_, at) => `s${at}`)], 1));
  await put('telegram', [
    ['user:5', { chat: '5', template: 'credited', amount: '1500', asset: 'NDN' }],
  ]);
  receiver.answer(({ subject }) => ({ status: subject === 'slow' ? 0 : 200 }));
  await start();
  await waitFor(() => taken().length === 40);
  await waitFor(async () => (await messages()).at(-1)?.['text'] === 'Зачислено 1500 NDN.');
});

test('Retry-After is honoured, a redirect is refused, and an address of the cloud is never called', async () => {
  await put('webhook', webhooks(['patient'], 1));
  receiver.answer(() => ({ status: 429, headers: { 'Retry-After': '900' } }));
  await start();
  const [waiting] = await waitFor(async () => {
    const rows = await outbox();
    return rows[0]?.['last_error'] === 'HTTP 429' ? rows : null;
  });
  const next = new Date(String(waiting?.['next_attempt_at'])).getTime() - Date.now();
  expect(next).toBeGreaterThan(14 * MINUTE_MS);

  await courier.close();
  await put('webhook', webhooks(['redirected'], 1));
  receiver.answer(() => ({ status: 302, headers: { Location: 'http://169.254.169.254/' } }));
  await start();
  await waitFor(async () => (await outbox())[1]?.['last_error'] === 'redirect-refused');

  await courier.close();
  await put('webhook', webhooks(['cloud'], 1));
  await start('http://169.254.169.254/latest/meta-data');
  await waitFor(async () => (await outbox())[2]?.['last_error'] === 'forbidden-address');
});

test('after the last attempt a call is dead, the operator has a mail, and it can be made again', async () => {
  await put('webhook', webhooks(['dead'], 1));
  await pool.query('UPDATE outbox SET attempts = 7');
  receiver.answer(() => ({ status: 500 }));
  await start();
  await waitFor(async () => (await outbox())[0]?.['dead_at'] !== null);
  await waitFor(() => mails.received.some(({ subject }) => subject.includes('failed for good')));
  receiver.answer(() => ({ status: 200 }));
  expect(await replayDead(pool, new Date(), ['0'])).toBe(0);
  expect(await replayDead(pool, new Date())).toBe(1);
  await waitFor(() => taken().length === 1);
  await waitFor(() => mails.received.some(({ subject }) => subject.startsWith('[kopeck] OVER')));
});

async function messages(): Promise<readonly Record<string, unknown>[]> {
  const response = await fetch(`${origin}/__sandbox/bot/messages`);
  return (await response.json()) as Record<string, unknown>[];
}

async function knobs(change: object): Promise<void> {
  await fetch(`${origin}/__sandbox/bot/knobs`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(change),
  });
}

test('payers are told in their language; who has blocked the bot is not written to again', async () => {
  await knobs({ floods: 1, retryAfter: 1, blocked: [13], strangers: [14] });
  const until = { template: 'subscribed', plan: 'pro', activeUntil: '2026-11-04T12:00:00.000Z' };
  const before = (await messages()).length;
  await put('telegram', [
    ['user:13', { chat: '13', template: 'paid', amount: '5', asset: 'XTR' }],
    ['user:14', { chat: '14', template: 'paid', amount: '5', asset: 'XTR' }],
    ['user:5', { chat: '5', ...until, language: 'en-US' }],
    ['user:6', { chat: '6', ...until, language: null }],
    ['user:5', { chat: '5', template: 'no such template' }],
  ]);
  await start();
  await waitFor(async () => (await outbox()).every((row) => row['done_at'] !== null));
  // Side by side: no user waits for another one's message.
  expect(new Set((await messages()).slice(before).map(({ text }) => text))).toEqual(
    new Set([
      'Your “pro” subscription runs until 2026-11-04.',
      'Подписка «pro» действует до 04.11.2026.',
    ]),
  );
  const errors = (await outbox()).map((row) => row['last_error'] as unknown);
  expect(errors).toEqual(['HTTP 403', 'HTTP 400', null, null, 'no such message']);
});

interface Sending {
  readonly chat: number;
  readonly at: string;
  readonly status: number;
}

/** What the bot was asked to send to these users. */
async function sendings(
  from: number,
  to: number,
): Promise<readonly { ms: number; status: number }[]> {
  const response = await fetch(`${origin}/__sandbox/bot/sendings`);
  const all = (await response.json()) as readonly Sending[];
  return all
    .filter(({ chat }) => chat >= from && chat < to)
    .map(({ at, status }) => ({ ms: Date.parse(at), status }));
}

const credited = (from: number, count: number): readonly [string, object][] =>
  Array.from({ length: count }, (_, at) => [
    `user:${from + at}`,
    { chat: String(from + at), template: 'credited', amount: '1', asset: 'NDN' },
  ]);

test('a hundred payers are written to at no more than 25 a second', async () => {
  await put('telegram', credited(1_000, 100));
  await start();
  await waitFor(async () => (await outbox()).every((row) => row['done_at'] !== null));
  const starts = await sendings(1_000, 1_100);
  expect(starts).toHaveLength(100);
  for (const { ms } of starts) {
    const within = starts.filter((other) => other.ms >= ms && other.ms < ms + 1_000);
    expect(within.length).toBeLessThanOrEqual(25);
  }
});

test('when Telegram says how long to wait, nobody is written to before that', async () => {
  await knobs({ floods: 1, retryAfter: 3 });
  await put('telegram', credited(2_000, 20));
  await start();
  await waitFor(async () => (await outbox()).every((row) => row['done_at'] !== null));
  const all = await sendings(2_000, 2_020);
  expect(all).toHaveLength(21);
  const flooded = all.find(({ status }) => status === 429)?.ms ?? 0;
  // Those of the same look were under way already.
  const later = all.filter(({ ms }) => ms > flooded + 1_000);
  expect(all.length - later.length).toBeLessThanOrEqual(6);
  expect(Math.min(...later.map(({ ms }) => ms))).toBeGreaterThan(flooded + 2_900);
});
