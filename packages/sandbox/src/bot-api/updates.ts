import type { Update } from '@grammyjs/types';
import { send, type Sent } from '../send.ts';
import { chatOf, seconds, userOf, type Transaction } from './account.ts';
import type { Knobs } from './knobs.ts';

/** What an update carries beside its id. */
export type Content = Partial<Record<Exclude<keyof Update, 'update_id'>, object>>;

export interface Delivered extends Sent {
  readonly update: object;
}

export interface Updates {
  /** With the webhook's secret. Null: there is no webhook, or updates are dropped. */
  readonly deliver: (content: Content) => Promise<Delivered | null>;
  readonly all: () => readonly Delivered[];
  /** What getWebhookInfo tells: nobody has taken `pending` updates, and why the last of them. */
  readonly troubles: () => Troubles;
  readonly reset: () => void;
}

export interface Troubles {
  readonly pending: number;
  /** The date is in Unix seconds. */
  readonly lastError: { readonly date: number; readonly message: string } | null;
}

const FIRST_UPDATE = 728_000_001;

export function createUpdates(knobs: { readonly current: Knobs }, now: () => Date): Updates {
  let delivered: Delivered[] = [];
  let lastError: Troubles['lastError'] = null;
  let nextId = FIRST_UPDATE;
  return {
    async deliver(content) {
      const { webhookUrl, secret, webhooks, allowedUpdates } = knobs.current;
      const update = { update_id: nextId, ...content };
      nextId += 1;
      const isWanted =
        allowedUpdates.length === 0 || allowedUpdates.some((kind) => kind in content);
      if (webhookUrl === null || webhooks === 'drop' || !isWanted) return null;
      const headers = secret === '' ? {} : { 'X-Telegram-Bot-Api-Secret-Token': secret };
      const sent = await send(webhookUrl, JSON.stringify(update), headers);
      delivered.push({ update, ...sent });
      if (!isTaken(sent)) lastError = { date: seconds(now()), message: wordFor(sent) };
      return { update, ...sent };
    },
    all: () => delivered,
    troubles: () => ({
      pending: delivered.filter((sent) => !isTaken(sent)).length,
      lastError,
    }),
    reset() {
      delivered = [];
      lastError = null;
      nextId = FIRST_UPDATE;
    },
  };
}

function isTaken({ status }: Sent): boolean {
  return status >= 200 && status <= 299;
}

/** In Telegram's words. */
function wordFor({ status }: Sent): string {
  return status === 0 ? 'Connection refused' : `Wrong response from the webhook: ${status}`;
}

export interface Purchase {
  readonly user: number;
  readonly stars: number;
  readonly payload: string;
  readonly languageCode: string;
  /** Which payment of a subscription it is. */
  readonly recurring: 'first' | 'renewal' | null;
  /** Stars that go to whoever brought the payer. */
  readonly affiliate: number;
}

const SUBSCRIPTION_SECONDS = 2_592_000;

export function preCheckoutQuery(queryId: string, purchase: Purchase): Content {
  const { user, stars, payload, languageCode } = purchase;
  return {
    pre_checkout_query: {
      id: queryId,
      from: userOf(user, languageCode),
      currency: 'XTR',
      total_amount: stars,
      invoice_payload: payload,
    },
  };
}

export function successfulPayment(
  messageId: number,
  { recurring, languageCode }: Purchase,
  { id, user, amount, date, payload }: Transaction,
): Content {
  const subscription = {
    is_recurring: true,
    ...(recurring === 'first' ? { is_first_recurring: true } : {}),
    subscription_expiration_date: date + SUBSCRIPTION_SECONDS,
  };
  return {
    message: {
      message_id: messageId,
      from: userOf(user, languageCode),
      chat: chatOf(user),
      date,
      successful_payment: {
        currency: 'XTR',
        total_amount: amount,
        invoice_payload: payload,
        telegram_payment_charge_id: id,
        provider_payment_charge_id: `${user}_${messageId}`,
        ...(recurring === null ? {} : subscription),
      },
    },
  };
}

export function purchasedPaidMedia(user: number, payload: string): Content {
  return { purchased_paid_media: { from: userOf(user), paid_media_payload: payload } };
}

/** It is the bot itself that speaks here. */
export function refundedPayment(messageId: number, bot: object, refund: Transaction): Content {
  const { id, user, amount, date, payload } = refund;
  return {
    message: {
      message_id: messageId,
      from: bot,
      chat: chatOf(user),
      date,
      refunded_payment: {
        currency: 'XTR',
        total_amount: amount,
        invoice_payload: payload,
        telegram_payment_charge_id: id,
      },
    },
  };
}
