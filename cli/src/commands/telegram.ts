import type { BotApi } from '../../../services/crypto/src/telegram/client.ts';
import {
  botOf,
  failureOf,
  OUR_UPDATES,
  ourWebhook,
  shownUrl,
  webhookInfo,
  type WebhookInfo,
} from '../telegram/webhook.ts';
import { withSecretFiles } from '../secret-files.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- telegram setup [--replace]

Tells Telegram where Kopeck takes the bot's updates, with TELEGRAM_WEBHOOK_SECRET. May be repeated, as
after a new secret. A webhook that leads elsewhere is only taken over when TELEGRAM_FORWARD_URL is set
(so that the bot behind it goes on hearing everything else), or with --replace.`;

/** Exit code 1: Telegram refused it, or tells something else than was set. */
export async function run(args: readonly string[], given: Context): Promise<number> {
  const context = withSecretFiles(given);
  const [verb, option, ...more] = args;
  const isReplacing = option === '--replace';
  if (verb !== 'setup' || more.length > 0 || (option !== undefined && !isReplacing)) {
    throw new Advice(USAGE);
  }
  const api = botOf(context);
  if (api === null) throw new Advice('Please set TELEGRAM_BOT_TOKEN, as @BotFather gave it.');
  const url = ourWebhook(context);
  const before = await webhookInfo(api);
  if ('kind' in before) return failed(context, failureOf(before));
  if (!isReplacing) refuseTakingOver(before, url, context);
  return setUp(api, { url, before }, context);
}

/** The bot that listens there would hear nothing any more. */
function refuseTakingOver(before: WebhookInfo, url: string, { find }: Context): void {
  if (before.url === '' || before.url === url || find('TELEGRAM_FORWARD_URL') !== undefined) return;
  throw new Advice(
    `The bot's webhook leads to ${shownUrl(before.url)} now, and nothing would go there any more.
Set TELEGRAM_FORWARD_URL (and TELEGRAM_FORWARD_SECRET) to what it is, so that Kopeck hands on all that
is not about money; or say --replace, if nobody needs it.`,
  );
}

async function setUp(
  api: BotApi,
  { url, before }: { readonly url: string; readonly before: WebhookInfo },
  context: Context,
): Promise<number> {
  const [secret = ''] = context.value('TELEGRAM_WEBHOOK_SECRET').split(',');
  const allowed = allowedUpdates(before, context);
  // Never drop_pending_updates: payments may be among them.
  const called = await api.call('setWebhook', {
    url,
    secret_token: secret.trim(),
    allowed_updates: allowed,
  });
  if (called.kind !== 'ok') return failed(context, failureOf(called));

  const after = await webhookInfo(api);
  if ('kind' in after) return failed(context, failureOf(after));
  context.say(`Bot ${api.bot} tells ${after.url}`);
  context.say(`  of ${after.allowed.length === 0 ? 'all updates' : after.allowed.join(', ')}`);
  context.say('  with the first secret of TELEGRAM_WEBHOOK_SECRET');
  context.say(`  ${after.pending} updates wait to be told`);
  return after.url === url ? 0 : failed(context, `The webhook is ${shownUrl(after.url)} now`);
}

/** With a bot behind us: all that it was told of before, and what we need. */
function allowedUpdates({ url, allowed }: WebhookInfo, { find }: Context): readonly string[] {
  if (find('TELEGRAM_FORWARD_URL') === undefined) return OUR_UPDATES;
  // Empty: everything. A list of exactly ours was set by us, before there was a bot behind us.
  const theirs = allowed.filter((kind) => !OUR_UPDATES.includes(kind));
  return url === '' || theirs.length === 0 ? [] : [...OUR_UPDATES, ...theirs];
}

function failed({ say }: Context, why: string): number {
  say(`NOT SET: ${why}.`);
  return 1;
}
