import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { loadConfig } from '@kopeck/runtime/config';
import { createApp } from '@kopeck/runtime/http-app';
import { JournalUnavailable } from '@kopeck/runtime/journal';
import { listen } from '@kopeck/runtime/listen';
import { noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { startRedis, type PrivateRedis } from '@kopeck/testing/private-redis';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { cryptoConfig } from '../src/config.ts';
import { openForwardQueue } from '../src/forward/forward-queue.ts';
import { startForwarding } from '../src/forward/forwarding.ts';
import { cryptoRoutes, type CryptoDeps } from '../src/routes.ts';
import { startBotBehind, type BotBehind } from './bot-behind.ts';
import { fixture } from './partners.ts';
import { CREDENTIALS, postTelegram, runCrypto } from './running-crypto.ts';

const HOUR_MS = 3_600_000;

let dir: string;
let bot: BotBehind;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-spool-'));
  bot = await startBotBehind();
});

afterEach(async () => {
  bot.close();
  await rm(dir, { recursive: true });
});

const text = (words: string): string =>
  JSON.stringify({ update_id: 9, message: { chat: { id: 7 }, text: words } });

test('updates that come while Redis is away survive us, and reach the bot in their order', async () => {
  const redis: PrivateRedis = await startRedis({ dir: join(dir, 'redis'), password: 'spool' });
  const env = {
    ...CREDENTIALS,
    REDIS_URL: redis.url,
    JOURNAL_DIR: join(dir, 'journal'),
    TELEGRAM_FORWARD_URL: bot.url,
  };
  const first = await runCrypto(env);
  await redis.kill();
  for (const words of ['one', 'two', 'three']) {
    expect(await postTelegram(first, text(words))).toMatchObject({ status: 200 });
  }
  const payment = await postTelegram(first, fixture('tg-successful-payment.json'));
  expect(payment).toMatchObject({ status: 200, body: { status: 'accepted' } });
  await first.close();
  expect(bot.taken).toEqual([]);

  await redis.restart();
  const second = await runCrypto(env);
  await waitFor(() => bot.taken.length === 3);
  expect(bot.taken.map(({ body }) => body)).toEqual(['one', 'two', 'three'].map(text));
  await second.close();
  await redis.stop();
});

test('an update is tried for a day, and no longer', async () => {
  const { url, prefix } = createTestRedis(inject('redisUrl'));
  const redis = new Redis(url);
  const queue = openForwardQueue(redis, prefix);
  const metrics = createMetrics('crypto');
  const begun = new Date('2026-10-05T12:00:00.000Z');
  let now = begun;
  bot.answer(() => 500);
  const options = { url: bot.url, secret: undefined, queue, api: null, log: noLog };
  const forwarding = startForwarding({ ...options, metrics, now: () => now });
  const put = (words: string) =>
    queue.put('7', { body: text(words), receivedAt: begun.toISOString() });

  const failed = (times: number) =>
    waitFor(async () =>
      (await metrics.text()).match(`kopeck_forwarded_total\\{result="failed".*\\} ${times}`),
    );

  await put('too old');
  await failed(1);
  now = new Date(begun.getTime() + 24 * HOUR_MS - 1_000);
  await failed(2);
  now = new Date(begun.getTime() + 24 * HOUR_MS + 300_000);
  await waitFor(async () => (await queue.waiting()) === 0);
  expect(bot.taken).toHaveLength(2);
  expect(await metrics.text()).toMatch(/kopeck_forwarded_total\{result="given-up".*\} 1/);
  forwarding.stop();
  redis.disconnect();
});

test('an update without room on disk is refused only when payments are refused too', async () => {
  let writable = true;
  const config = loadConfig(cryptoConfig, {
    ...CREDENTIALS,
    REDIS_URL: 'redis://127.0.0.1:9',
    JOURNAL_DIR: dir,
    NDN_PER_STAR: '10',
  });
  const unused = {} as Pick<
    CryptoDeps,
    'findOpenOrder' | 'book' | 'heard' | 'reconcileNow' | 'tickets'
  >;
  const router = cryptoRoutes({
    ...unused,
    config,
    append: async () => 'accepted',
    journal: { writable: async () => writable },
    log: noLog,
    metrics: createMetrics('crypto'),
    now: () => new Date(),
    spool: {
      keep: async () => {
        throw new JournalUnavailable('the journal has reached its cap');
      },
    },
  });
  const app = createApp({ log: noLog, trustProxy: 'loopback', router });
  const server = await listen(app, 0, '127.0.0.1');
  const crypto = { url: server.url, metricsUrl: '', close: server.close };
  expect(await postTelegram(crypto, text('hello'))).toMatchObject({ status: 200 });
  writable = false;
  expect(await postTelegram(crypto, text('hello'))).toMatchObject({ status: 503 });
  await server.close();
});
