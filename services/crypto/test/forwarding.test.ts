import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { chatOf } from '../src/forward/chat-of.ts';
import { startBotBehind, type BotBehind } from './bot-behind.ts';
import { fixture } from './partners.ts';
import { CREDENTIALS, postTelegram, runCrypto, type RunningCrypto } from './running-crypto.ts';
import { openSandboxPartners, type SandboxPartners } from './sandbox-partners.ts';

const { url: REDIS_URL, prefix: REDIS_PREFIX } = createTestRedis(inject('redisUrl'));
const BOTS_SECRET = 'of-the-bots-own-webhook';

let bot: BotBehind;
let partners: SandboxPartners;
let crypto: RunningCrypto;

beforeAll(async () => {
  bot = await startBotBehind();
  partners = await openSandboxPartners();
  crypto = await runCrypto({
    ...CREDENTIALS,
    ...partners.env,
    REDIS_URL,
    REDIS_PREFIX,
    TELEGRAM_FORWARD_URL: bot.url,
    TELEGRAM_FORWARD_SECRET: BOTS_SECRET,
  });
});

beforeEach(() => {
  bot.forget();
  bot.answer(() => 200);
});

afterAll(async () => {
  await crypto.close();
  await partners.close();
  bot.close();
});

const text = (chat: number, words: string): string =>
  JSON.stringify({ update_id: 9, message: { chat: { id: chat }, text: words } });

test('what is not about money reaches the bot byte for byte, and payments never do', async () => {
  const ours = [
    'tg-successful-payment.json',
    'tg-refunded-payment.json',
    'tg-pre-checkout-query.json',
    'tg-successful-payment-recurring-first.json',
    'tg-successful-payment-recurring-renewal.json',
    'tg-subscription-canceled.json',
    'tg-subscription-failed.json',
    'tg-purchased-paid-media.json',
  ];
  for (const name of ours) {
    expect(await postTelegram(crypto, fixture(name))).toMatchObject({ status: 200 });
  }
  const others = [
    'tg-text-message.json',
    'tg-edited-message.json',
    'tg-my-chat-member-blocked.json',
  ];
  for (const name of others) {
    expect(await postTelegram(crypto, fixture(name))).toMatchObject({ status: 200 });
  }
  await waitFor(() => bot.taken.length === 3);
  expect(bot.taken).toEqual(
    others.map((name) => ({ body: fixture(name).toString(), secret: BOTS_SECRET, status: 200 })),
  );
});

test('a chat whose update fails waits for it, in order, and no other chat does', async () => {
  let failures = 1;
  bot.answer((body) => (body.includes('first of 1') && failures-- > 0 ? 502 : 200));
  for (const words of ['first', 'second', 'third']) {
    await postTelegram(crypto, text(1, `${words} of 1`));
    await postTelegram(crypto, text(2, `${words} of 2`));
  }
  await waitFor(() => bot.taken.filter(({ status }) => status === 200).length === 6);
  const words = (chat: number): readonly string[] =>
    bot.taken.flatMap(({ body, status }) =>
      status === 200 && body.includes(`of ${chat}`) ? [body.split('"').at(-2) ?? ''] : [],
    );
  expect(words(1)).toEqual(['first of 1', 'second of 1', 'third of 1']);
  expect(words(2)).toEqual(['first of 2', 'second of 2', 'third of 2']);
  expect(bot.taken.findIndex(({ body, status }) => status === 200 && body.includes('of 1'))).toBe(
    bot.taken.length - 3,
  );
});

test('a call of the Bot API in the answer of the bot is made for it', async () => {
  const call = { method: 'sendMessage', chat_id: 5, text: 'hello from the bot' };
  bot.answer(() => 200, JSON.stringify(call));
  await postTelegram(crypto, text(5, 'hello'));
  await waitFor(async () => {
    const messages = await partners.control('bot/messages', undefined, 'GET');
    return JSON.stringify(messages).includes('hello from the bot');
  });
});

test('a bot that never answers holds up neither its own update nor a payment', async () => {
  bot.answer(() => 0);
  const begun = performance.now();
  const payer = 5123456789;
  expect(await postTelegram(crypto, text(payer, 'hello'))).toMatchObject({ status: 200 });
  await waitFor(() => bot.taken.length === 1);
  const paid = fixture('tg-successful-payment.json').toString().replace('stxQ9', 'stxQ0');
  expect(await postTelegram(crypto, paid)).toMatchObject({
    status: 200,
    body: { status: 'accepted' },
  });
  // What waits for the bot waits for fifteen seconds.
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test.each([
  [
    '{"update_id":1,"callback_query":{"from":{"id":7},"message":{"chat":{"id":-100123}}}}',
    '-100123',
  ],
  ['{"update_id":1,"inline_query":{"from":{"id":7}}}', '7'],
  ['{"update_id":1,"poll":{"id":"x"}}', 'poll'],
  ['{"update_id":1}', 'none'],
  ['nonsense', 'none'],
])('the place of %s is %s', (update, chat) => {
  expect(chatOf(Buffer.from(update))).toBe(chat);
});
