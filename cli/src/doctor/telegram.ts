import { setTimeout as delay } from 'node:timers/promises';
import { isRecord, textAt } from '@kopeck/core/json';
import type { BotApi } from '../../../services/crypto/src/telegram/client.ts';
import type { Context } from '../commands/command.ts';
import {
  botOf,
  failureOf,
  missingUpdates,
  ourWebhook,
  shownUrl,
  webhookInfo,
  type WebhookInfo,
} from '../telegram/webhook.ts';
import { error, ok, warn, type Check, type Finding } from './check.ts';

const REACH = 'See that this machine may call the Bot API (TELEGRAM_API_URL).';
const SET_UP = 'Run `kopeck telegram setup`.';
/** What Telegram could not bring longer ago than this is history. */
const RECENT_MS = 3_600_000;
/** Between two looks at what waits. */
const LOOK_AGAIN_MS = 1_000;

/** Without a bot there is nothing to find. */
export const TELEGRAM_CHECKS: readonly Check[] = [
  { name: 'telegram-token', run: (context) => withBot(context, token) },
  { name: 'telegram-webhook', run: (context) => withBot(context, webhook) },
  { name: 'telegram-queue', run: (context) => withBot(context, queue) },
];

type Look = (api: BotApi, context: Context) => Promise<readonly Finding[]>;

async function withBot(context: Context, look: Look): Promise<readonly Finding[]> {
  const api = botOf(context);
  return api === null ? [] : look(api, context);
}

async function token(api: BotApi): Promise<readonly Finding[]> {
  const called = await api.call('getMe', {});
  if (called.kind === 'ok') {
    const name = isRecord(called.result) ? textAt(called.result, 'username') : null;
    return [ok(`the token is that of bot ${api.bot}${name === null ? '' : `, @${name}`}`)];
  }
  if (called.kind === 'refused') {
    const cure = 'Get the current token from @BotFather and set TELEGRAM_BOT_TOKEN to it.';
    return [error(`TELEGRAM_BOT_TOKEN is refused. ${failureOf(called)}`, cure)];
  }
  return [error(failureOf(called), REACH)];
}

async function webhook(api: BotApi, context: Context): Promise<readonly Finding[]> {
  const info = await webhookInfo(api);
  // That the token is refused or Telegram away is told once, by the check of the token.
  if ('kind' in info) return [];
  return [...whereFindings(info, ourWebhook(context)), ...updateFindings(info)];
}

function whereFindings({ url }: WebhookInfo, ours: string): readonly Finding[] {
  if (url === ours) return [ok(`Telegram tells ${ours}`)];
  if (url === '')
    return [error('the bot has no webhook: Telegram tells nobody of payments', SET_UP)];
  const cure = `Set TELEGRAM_FORWARD_URL to that one if a bot needs it, then run \`kopeck telegram setup\`.`;
  return [error(`the webhook is set elsewhere, to ${shownUrl(url)}, and not to ${ours}`, cure)];
}

function updateFindings(info: WebhookInfo): readonly Finding[] {
  const missing = missingUpdates(info);
  if (info.url === '' || missing.length === 0) return [];
  // Nobody is charged without an answer to this question, and a payment is a message.
  const isGrave = missing.includes('message') || missing.includes('pre_checkout_query');
  return [(isGrave ? error : warn)(`Telegram does not tell of ${missing.join(', ')}`, SET_UP)];
}

/** What waits at Telegram, and whether it grows; why the last update could not be brought. */
async function queue(api: BotApi, { now }: Context): Promise<readonly Finding[]> {
  const before = await webhookInfo(api);
  if ('kind' in before || before.url === '') return [];
  const pending = await pendingFindings(before, api);
  const { lastError } = before;
  if (lastError === null || now().getTime() - lastError.at.getTime() > RECENT_MS) return pending;
  const what = `Telegram could not bring an update at ${lastError.at.toISOString()}: ${lastError.message}`;
  return [...pending, (before.pending > 0 ? error : warn)(what, cureOf(lastError.message))];
}

async function pendingFindings(before: WebhookInfo, api: BotApi): Promise<readonly Finding[]> {
  if (before.pending === 0) return [ok('no update waits at Telegram')];
  await delay(LOOK_AGAIN_MS);
  const after = await webhookInfo(api);
  const count = 'kind' in after ? before.pending : after.pending;
  const cure = 'See what Telegram says and whether crypto answers; updates are kept for 24 hours.';
  if (count > before.pending) return [error(`${count} updates wait, and they grow`, cure)];
  if (count === 0) return [ok('no update waits at Telegram')];
  return [warn(`${count} updates wait, and they do not grow`, cure)];
}

function cureOf(message: string): string {
  if (/401/.test(message)) return `The secret is not the one that was set: ${SET_UP}`;
  if (/503/.test(message)) return 'See what /ready of crypto says, and how full its journal is.';
  if (/SSL|certificate/i.test(message)) return 'See that the certificate is valid for the name.';
  return 'See that the name leads here and that Telegram may come in through the firewall.';
}
