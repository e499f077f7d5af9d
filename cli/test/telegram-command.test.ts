import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { Advice } from '../src/commands/command.ts';
import { run as telegram } from '../src/commands/telegram.ts';
import { contextWith } from './context.ts';

const TOKEN = '7000000001:AAbotTokenForUnitTestsOnly_0123456789';
const SECRET = 'current_Secret-2026';
const OURS = 'https://pay.shop.test/webhook/telegram';
const THEIRS = 'https://bot.shop.test/hook/the-secret-path-of-the-bot';

let sandbox: Sandbox;
let origin: string;

beforeEach(async () => {
  const bot = openBotApi({ token: TOKEN, secret: 'unset', webhookUrl: null });
  sandbox = createSandbox({ doubles: [bot], now: () => new Date() });
  origin = await sandbox.listen(0);
});
afterEach(() => sandbox.close());

const shop = (more: Readonly<Record<string, string>> = {}) =>
  contextWith({
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_WEBHOOK_SECRET: `${SECRET}, older_Secret-2025`,
    TELEGRAM_API_URL: `${origin}/telegram`,
    WEBHOOK_DOMAIN: 'pay.shop.test',
    ...more,
  });

async function knobs(change?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${origin}/__sandbox/bot/knobs`, {
    ...(change === undefined ? {} : { method: 'PATCH', body: JSON.stringify(change) }),
    headers: { 'content-type': 'application/json' },
  });
  return (await response.json()) as Record<string, unknown>;
}

test('telegram setup sets our URL, the current secret and the updates we need, and shows no secret', async () => {
  const context = shop();
  expect(await telegram(['setup'], context)).toBe(0);
  expect(await telegram(['setup'], context)).toBe(0);
  const allowed = [
    'message',
    'pre_checkout_query',
    'subscription',
    'purchased_paid_media',
    'my_chat_member',
  ];
  expect(await knobs()).toMatchObject({
    webhookUrl: OURS,
    secret: SECRET,
    allowedUpdates: allowed,
  });
  const said = context.said.join('\n');
  expect(said).toContain(`Bot 7000000001 tells ${OURS}\n  of ${allowed.join(', ')}`);
  for (const secret of [SECRET, TOKEN.slice(11)]) expect(said).not.toContain(secret);
});

test("a bot's own webhook is not taken over before somebody says where its updates go", async () => {
  await knobs({ webhookUrl: THEIRS, allowedUpdates: ['message', 'callback_query'] });
  const refused = await telegram(['setup'], shop()).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Advice);
  expect(String(refused)).toContain('https://bot.shop.test/…');
  expect(String(refused)).not.toContain('the-secret-path');
  expect(await knobs()).toMatchObject({ webhookUrl: THEIRS });

  expect(await telegram(['setup'], shop({ TELEGRAM_FORWARD_URL: THEIRS }))).toBe(0);
  const { allowedUpdates } = await knobs();
  expect(allowedUpdates).toEqual(expect.arrayContaining(['callback_query', 'subscription']));

  await knobs({ webhookUrl: THEIRS });
  expect(await telegram(['setup', '--replace'], shop())).toBe(0);
  expect(await knobs()).toMatchObject({ webhookUrl: OURS });
});

test('with a bot behind us, what was narrowed to our own updates is opened again', async () => {
  await telegram(['setup'], shop());
  expect(await telegram(['setup'], shop({ TELEGRAM_FORWARD_URL: THEIRS }))).toBe(0);
  expect(await knobs()).toMatchObject({ allowedUpdates: [] });
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['a token that was revoked', { TELEGRAM_BOT_TOKEN: `${TOKEN}x` }, 'Unauthorized (401)'],
  ['a port that Telegram does not call', { HTTPS_PORT: '444' }, 'only on ports 80, 88, 443'],
  ['no way out', { TELEGRAM_API_URL: 'http://127.0.0.1:9' }, 'cannot be reached'],
])('%s is told as Telegram tells it, with exit code 1', async (_what, values, words) => {
  const context = shop(values);
  expect(await telegram(['setup'], context)).toBe(1);
  expect(context.said.join('\n')).toContain(words);
  expect(context.said.join('\n')).not.toContain(TOKEN.slice(11));
});

test('asked wrongly, or without a token or secret, it says what to do', async () => {
  await expect(telegram([], shop())).rejects.toThrow(/usage/);
  await expect(telegram(['setup', '--drop'], shop())).rejects.toThrow(/usage/);
  await expect(telegram(['setup'], contextWith({}))).rejects.toThrow(/TELEGRAM_BOT_TOKEN/);
});
