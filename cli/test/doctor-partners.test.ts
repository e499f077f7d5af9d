import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { migrate } from '@kopeck/runtime/migrate';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { openCryptoPay } from '@kopeck/sandbox/crypto-pay/crypto-pay';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { run as doctor } from '../src/commands/doctor.ts';
import { contextWith } from './context.ts';

const BOT_TOKEN = '7000000001:AAbotTokenForUnitTestsOnly_0123456789';
const MAIN_TOKEN = '31337:AAvectorTokenForUnitTestsOnly012345';
const TEST_TOKEN = '40400:AAtestnetTokenForUnitTestsOnly01234';
const NOW = new Date('2026-10-05T12:00:00.000Z');
const OURS = 'https://pay.shop.test/webhook/telegram';

let database: TestDatabase;
let sandbox: Sandbox;
let origin: string;
/** What the services count: all of them at one address. */
let metrics: Server;
let figures: readonly string[];

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  metrics = createServer((_request, response) => response.end(figures.join('\n')));
  metrics.listen(0, '127.0.0.1');
  await once(metrics, 'listening');
});

beforeEach(async () => {
  figures = [
    'kopeck_deliveries_total{source="telegram",outcome="accepted",service="crypto"} 7',
    'kopeck_deliveries_total{source="cryptobot",outcome="duplicate",service="crypto"} 1',
    `kopeck_reconciled_at_seconds{source="telegram"} ${NOW.getTime() / 1_000 - 60}`,
    `kopeck_reconciled_at_seconds{source="cryptobot"} ${NOW.getTime() / 1_000 - 60}`,
    'kopeck_unexplained_payments{source="sbp"} 0',
  ];
  const bot = openBotApi({ token: BOT_TOKEN, secret: 'bot_Secret-1', webhookUrl: OURS });
  const pay = openCryptoPay({
    apps: [
      { token: MAIN_TOKEN, network: 'main' },
      { token: TEST_TOKEN, network: 'test' },
    ],
    webhookUrl: null,
  });
  sandbox = createSandbox({ doubles: [bot, pay], now: () => NOW });
  origin = await sandbox.listen(0);
});

afterEach(() => sandbox.close());

afterAll(async () => {
  metrics.close();
  await database.drop();
});

/** 'severity check what', of all that is not in order, and the exit code. */
async function examined(
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly lines: readonly string[]; readonly text: string }> {
  const metricsUrl = `http://127.0.0.1:${(metrics.address() as AddressInfo).port}`;
  const context = contextWith(
    {
      TELEGRAM_BOT_TOKEN: BOT_TOKEN,
      TELEGRAM_WEBHOOK_SECRET: 'bot_Secret-1',
      CRYPTOBOT_TOKEN: MAIN_TOKEN,
      CRYPTOBOT_TESTNET_TOKEN: TEST_TOKEN,
      TELEGRAM_API_URL: `${origin}/telegram`,
      CRYPTOBOT_API_URL: `${origin}/crypto-pay/api`,
      CRYPTOBOT_TESTNET_API_URL: `${origin}/crypto-pay/api`,
      WEBHOOK_DOMAIN: 'pay.shop.test',
      CRYPTO_METRICS_URL: metricsUrl,
      EPN_METRICS_URL: metricsUrl,
      LEDGER_METRICS_URL: metricsUrl,
      COURIER_METRICS_URL: metricsUrl,
      DATABASE_URL: database.url,
      ...more,
    },
    () => NOW,
  );
  const code = await doctor(['--json'], context);
  const text = context.said.join('\n');
  const { findings } = JSON.parse(text) as { findings: Record<string, string>[] };
  const lines = findings.flatMap(({ severity, check, what }) =>
    ['telegram', 'cryptobot', 'epn', 'reconciliation', 'unexplained', 'fulfilment'].some((start) =>
      check?.startsWith(start),
    ) && severity !== 'ok'
      ? [`${severity} ${check}: ${what}`]
      : [],
  );
  return { code, lines, text };
}

async function knobs(change: object): Promise<void> {
  await fetch(`${origin}/__sandbox/bot/knobs`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(change),
  });
}

const found = (line: string) => expect.stringMatching(line) as string;

test('nothing is wrong where partners call, are believed, and leave nothing unexplained', async () => {
  expect((await examined()).lines).toEqual([]);
});

test('a webhook that leads elsewhere, to nobody, or tells too little is found', async () => {
  await knobs({ webhookUrl: 'https://bot.shop.test/hook/with-a-secret-path' });
  const elsewhere = await examined();
  expect(elsewhere.code).toBe(1);
  expect(elsewhere.lines).toEqual([found('error telegram-webhook: .*elsewhere, to https://bot.')]);
  expect(elsewhere.text).not.toContain('with-a-secret-path');
  await knobs({ webhookUrl: null });
  expect((await examined()).lines).toEqual([found('error telegram-webhook: .* no webhook')]);
  await knobs({ webhookUrl: OURS, allowedUpdates: ['message', 'subscription'] });
  expect((await examined()).lines).toEqual([
    found('error telegram-webhook: .*pre_checkout_query, purchased_paid_media, my_chat_member'),
  ]);
});

test('what Telegram could not bring, and that it becomes more and more, is found', async () => {
  await knobs({ webhookUrl: 'http://127.0.0.1:9/webhook/telegram' });
  const update = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  await fetch(`${origin}/__sandbox/bot/update`, update);
  const isLooking = { current: true };
  const looking = examined({ WEBHOOK_DOMAIN: 'localhost', CRYPTO_URL: 'http://127.0.0.1:9' });
  void looking.finally(() => (isLooking.current = false));
  while (isLooking.current) await fetch(`${origin}/__sandbox/bot/update`, update);
  expect((await looking).lines).toEqual([
    found('error telegram-queue: [0-9]+ updates wait, and they grow'),
    found('error telegram-queue: .*2026-10-05T12:00:00.000Z: Connection refused'),
  ]);
});

test('a token that is revoked, or of the other network, is found, and no token is shown', async () => {
  const swapped = await examined({
    TELEGRAM_BOT_TOKEN: `${BOT_TOKEN}9`,
    CRYPTOBOT_TOKEN: TEST_TOKEN,
    CRYPTOBOT_TESTNET_TOKEN: `${TEST_TOKEN.slice(0, -1)}9`,
  });
  expect(swapped.lines).toEqual([
    found('error telegram-token: TELEGRAM_BOT_TOKEN is refused.*Unauthorized'),
    found('error cryptobot-token: .*app 40400 in CRYPTOBOT_TOKEN belongs to @CryptoTestnetBot'),
    found('error cryptobot-token: .*CRYPTOBOT_TESTNET_TOKEN is refused: UNAUTHORIZED'),
  ]);
  for (const token of [BOT_TOKEN, MAIN_TOKEN, TEST_TOKEN]) {
    expect(swapped.text).not.toContain(token.split(':')[1]);
  }
});

test('a partner that never called, or only with a wrong signature, is found', async () => {
  figures = [
    'kopeck_deliveries_total{source="cryptobot",outcome="rejected",service="crypto"} 12',
    'kopeck_payments_without_webhook_total{source="telegram"} 3',
    `kopeck_reconciled_at_seconds{source="telegram"} ${NOW.getTime() / 1_000 - 3_600}`,
    'kopeck_reconcile_failures_total{source="cryptobot"} 4',
    'kopeck_unexplained_payments{source="sbp"} 2',
    'kopeck_unexplained_oldest_seconds{source="sbp"} 180000',
    'kopeck_webhooks_dead 5',
  ];
  const { code, lines } = await examined({
    EPN_SECRET_TOKEN: 'epn-token-of-the-test_0123456789abcdefgh',
    FULFILMENT_URL: 'https://bot.shop.test/kopeck',
  });
  expect(code).toBe(1);
  expect(lines).toEqual([
    found('error cryptobot-calls: 12 calls .* refused and none was believed'),
    found('error telegram-calls: 3 payments .* in its list, and it never called'),
    'warn epn-calls: epn has never called',
    found('error reconciliation: the list of cryptobot could not be read'),
    found('error reconciliation: the list of telegram was read 60 minutes ago'),
    found('warn unexplained: 2 payments wait in suspense, the oldest for 2 days'),
    found('error fulfilment: 5 calls'),
  ]);
});

test('a service that does not run is an error, and hides nothing else', async () => {
  const { lines } = await examined({ CRYPTO_METRICS_URL: 'http://127.0.0.1:9' });
  expect(lines).toContainEqual(found('error telegram-calls: could not be examined: ECONNREFUSED'));
});
