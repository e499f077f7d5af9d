import { isRecord, textAt } from '@kopeck/core/json';
import { botApiOf, type BotApi } from '../../../services/crypto/src/telegram/client.ts';
import type { Called } from '../../../services/crypto/src/partner-call.ts';
import type { Context } from '../commands/command.ts';
import { publicOrigin } from '../public-origin.ts';

/** What Kopeck must be told of. */
export const OUR_UPDATES: readonly string[] = [
  'message',
  'pre_checkout_query',
  'subscription',
  'purchased_paid_media',
  'my_chat_member',
];

/** What getWebhookInfo tells. `allowed` empty: all kinds but a few that are none of ours. */
export interface WebhookInfo {
  readonly url: string;
  readonly pending: number;
  readonly allowed: readonly string[];
  readonly lastError: { readonly at: Date; readonly message: string } | null;
}

/** Null: no bot is configured. */
export function botOf({ find }: Context): BotApi | null {
  const token = find('TELEGRAM_BOT_TOKEN');
  if (token === undefined || !/^\d+:/.test(token)) return null;
  const TELEGRAM_API_URL = find('TELEGRAM_API_URL') ?? 'https://api.telegram.org';
  return botApiOf({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_URL });
}

export function ourWebhook(context: Context): string {
  return `${publicOrigin(context, 'CRYPTO_URL')}/webhook/telegram`;
}

export async function webhookInfo(api: BotApi): Promise<WebhookInfo | Exclude<Called, Success>> {
  const called = await api.call('getWebhookInfo', {});
  if (called.kind !== 'ok') return called;
  if (!isRecord(called.result)) return { kind: 'unknown' };
  const { result } = called;
  const message = textAt(result, 'last_error_message');
  const at = Number(textAt(result, 'last_error_date') ?? 0);
  const allowed = result['allowed_updates'];
  return {
    url: textAt(result, 'url') ?? '',
    pending: Number(textAt(result, 'pending_update_count') ?? 0),
    allowed: Array.isArray(allowed) ? allowed.map(String) : [],
    lastError: message === null ? null : { at: new Date(at * 1_000), message },
  };
}

type Success = { readonly kind: 'ok' };

/** Which of ours Telegram does not tell. */
export function missingUpdates({ allowed }: Pick<WebhookInfo, 'allowed'>): readonly string[] {
  return allowed.length === 0 ? [] : OUR_UPDATES.filter((kind) => !allowed.includes(kind));
}

/** A webhook's path is often its secret: where it leads is shown, and no more. */
export function shownUrl(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}/…` : 'no URL';
}

/** Why Telegram did not do it, for people. */
export function failureOf(called: Exclude<Called, Success>): string {
  if (called.kind === 'refused') return `Telegram says: ${called.name} (${called.status})`;
  if (called.kind === 'unreachable') return 'Telegram cannot be reached from here';
  return 'Telegram has not answered in time';
}
