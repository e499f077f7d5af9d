import type { Update } from '@grammyjs/types';
import type { Payment } from '@kopeck/core/event';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { parsed, senseless, type Delivery, type Parsed } from '@kopeck/core/source';

/** `successful_payment` or `refunded_payment`, with what the message around it tells. */
export interface PaymentMessage {
  /** The payment's only key: a payload may be paid twice, and a refund carries the same id. */
  readonly chargeId: string;
  readonly currency: string | null;
  readonly totalAmount: string | null;
  readonly payload: string | null;
  readonly payer: string | null;
  readonly language: string | null;
  readonly date: string | null;
  readonly recurring: Payment['recurring'];
}

export interface SubscriptionUpdate {
  readonly updateId: string;
  readonly user: string;
  readonly payload: string;
  /** 'canceled', 'active', 'failed', or a word that is newer than this line. */
  readonly state: string;
}

export interface MediaUpdate {
  readonly updateId: string;
  readonly user: string;
  readonly payload: string;
}

/** May this payment go ahead? Telegram waits ten seconds for the answer. */
export interface CheckoutQuestion {
  readonly queryId: string;
  readonly languageCode: string | null;
  readonly currency: string | null;
  readonly totalAmount: string | null;
  readonly payload: string | null;
}

export type TelegramNotification =
  | { readonly kind: 'paid' | 'refunded'; readonly payment: PaymentMessage }
  | { readonly kind: 'subscription'; readonly subscription: SubscriptionUpdate }
  | { readonly kind: 'media'; readonly media: MediaUpdate }
  | { readonly kind: 'checkout'; readonly question: CheckoutQuestion }
  /** Whatever else a bot is told. */
  | { readonly kind: 'other' };

type Fields = Record<string, unknown>;
type Reader = (content: Fields, updateId: string | null) => Parsed<TelegramNotification>;

/** With its prefixes an id must fit a subject of 300 characters. */
const MAX_ID_LENGTH = 255;
const WHOLE_NUMBER = /^\d{1,20}$/;

/** An update has one of these beside its id; what is not here is not about money. */
const READERS = {
  message: readMessage,
  pre_checkout_query: readCheckout,
  subscription: readSubscription,
  purchased_paid_media: readMedia,
} as const satisfies Partial<Record<keyof Update, Reader>>;

export function parse({ body }: Delivery): Parsed<TelegramNotification> {
  const update = parseJsonText(body);
  if (!isRecord(update)) return senseless('not-a-json-object');

  const updateId = numberAt(update, 'update_id');
  for (const [key, read] of Object.entries(READERS)) {
    if (!Object.hasOwn(update, key)) continue;
    const content = update[key];
    return isRecord(content) ? read(content, updateId) : senseless('update-without-content');
  }
  return updateId === null ? senseless('no-update-id') : parsed({ kind: 'other' });
}

function readMessage(message: Fields): Parsed<TelegramNotification> {
  if (Object.hasOwn(message, 'successful_payment')) {
    return readPayment('paid', message['successful_payment'], message, idAt(message, 'from'));
  }
  if (Object.hasOwn(message, 'refunded_payment')) {
    // The sender of this message may be the bot itself; the chat is always the payer's.
    return readPayment('refunded', message['refunded_payment'], message, idAt(message, 'chat'));
  }
  return parsed({ kind: 'other' });
}

function readPayment(
  kind: 'paid' | 'refunded',
  payment: unknown,
  message: Fields,
  payer: string | null,
): Parsed<TelegramNotification> {
  if (!isRecord(payment)) return senseless('payment-without-content');
  const chargeId = textAt(payment, 'telegram_payment_charge_id');
  if (chargeId === null) return senseless('no-charge-id');
  if (chargeId.length > MAX_ID_LENGTH) return senseless('charge-id-too-long');

  return parsed({
    kind,
    payment: {
      chargeId,
      currency: textAt(payment, 'currency'),
      totalAmount: textAt(payment, 'total_amount'),
      payload: textAt(payment, 'invoice_payload'),
      payer,
      language: languageOf(message, payer),
      date: textAt(message, 'date'),
      recurring: recurringOf(payment),
    },
  });
}

/** The first payment of a subscription carries both flags, a renewal only the other one. */
function recurringOf(payment: Fields): Payment['recurring'] {
  if (payment['is_first_recurring'] === true) return 'first';
  return payment['is_recurring'] === true ? 'renewal' : null;
}

/** Of the payer alone: a refund is told by the bot itself. */
function languageOf(message: Fields, payer: string | null): string | null {
  const from = message['from'];
  return isRecord(from) && idAt(message, 'from') === payer ? textAt(from, 'language_code') : null;
}

function readCheckout(query: Fields): Parsed<TelegramNotification> {
  const queryId = textAt(query, 'id');
  if (queryId === null) return senseless('no-query-id');
  const from = query['from'];
  return parsed({
    kind: 'checkout',
    question: {
      queryId,
      languageCode: isRecord(from) ? textAt(from, 'language_code') : null,
      currency: textAt(query, 'currency'),
      totalAmount: textAt(query, 'total_amount'),
      payload: textAt(query, 'invoice_payload'),
    },
  });
}

function readSubscription(
  subscription: Fields,
  updateId: string | null,
): Parsed<TelegramNotification> {
  const user = idAt(subscription, 'user');
  const state = textAt(subscription, 'state');
  if (updateId === null) return senseless('no-update-id');
  if (user === null || state === null || state.length > MAX_ID_LENGTH) {
    return senseless('subscription-without-user-or-state');
  }
  const payload = textAt(subscription, 'invoice_payload') ?? '';
  return parsed({ kind: 'subscription', subscription: { updateId, user, payload, state } });
}

function readMedia(purchase: Fields, updateId: string | null): Parsed<TelegramNotification> {
  const user = idAt(purchase, 'from');
  if (updateId === null) return senseless('no-update-id');
  if (user === null) return senseless('purchase-without-user');
  const payload = textAt(purchase, 'paid_media_payload') ?? '';
  return parsed({ kind: 'media', media: { updateId, user, payload } });
}

/** The id of a user or of a private chat; a group's is negative and nobody who could pay. */
function idAt(fields: Fields, key: string): string | null {
  const party = fields[key];
  return isRecord(party) ? numberAt(party, 'id') : null;
}

function numberAt(fields: Fields, key: string): string | null {
  const text = textAt(fields, key);
  return text !== null && WHOLE_NUMBER.test(text) ? text : null;
}
