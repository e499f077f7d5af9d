import type { KopeckEvent, Payment, Refund } from '@kopeck/core/event';
import { evidenceOf } from '@kopeck/core/evidence';
import { sha256 } from '@kopeck/core/identity';
import { makeEvent, type Draft } from '@kopeck/core/make-event';
import { parseMoney, type Money } from '@kopeck/core/money';
import { senseless, type Delivery, type Normalised } from '@kopeck/core/source';
import type {
  CheckoutQuestion,
  MediaUpdate,
  PaymentMessage,
  SubscriptionUpdate,
  TelegramNotification,
} from './parse.ts';
import type { TelegramProof } from './verify.ts';

/** None: the one header that matters is the secret itself. */
export const EVIDENCE_HEADERS: readonly string[] = [];

type Step = Normalised<CheckoutQuestion>;

export function normalise(
  notification: TelegramNotification,
  { bot }: TelegramProof,
  delivery: Delivery,
): Step {
  const common = commonOf(delivery);
  switch (notification.kind) {
    case 'paid':
      return payment(notification.payment, bot, common);
    case 'refunded':
      return refund(notification.payment, bot, common);
    case 'subscription':
      return subscription(notification.subscription, bot, common);
    case 'media':
      return media(notification.media, bot, common);
    case 'checkout':
      return { kind: 'question', question: notification.question };
    default:
      return { kind: 'ignored', reason: 'not-about-money' };
  }
}

type Common = Pick<Draft<'payment.paid'>, 'source' | 'receivedAt' | 'network' | 'evidence'>;

function commonOf(delivery: Delivery): Common {
  const { receivedAt } = delivery;
  const evidence = evidenceOf(delivery, EVIDENCE_HEADERS);
  return { source: 'telegram', receivedAt, network: 'main', evidence };
}

function payment(message: PaymentMessage, bot: string, common: Common): Step {
  const stars = starsOf(message);
  if (typeof stars === 'string') return senseless(stars);
  return { kind: 'event', event: paidEvent(message, stars, bot, common) };
}

/** Somebody has paid, and how much is not said: a person decides, unless the webhook tells it yet. */
export function unpricedPayment(
  message: PaymentMessage,
  bot: string,
  delivery: Delivery,
): KopeckEvent {
  return paidEvent(message, null, bot, commonOf(delivery));
}

function paidEvent(
  message: PaymentMessage,
  stars: Money | null,
  bot: string,
  common: Common,
): KopeckEvent {
  const data: Payment = { ...paymentOf(message, bot), paid: stars };
  return makeEvent({
    ...common,
    ...paymentDraft(message, bot, stars),
    type: 'payment.paid',
    data,
  });
}

function refund(message: PaymentMessage, bot: string, common: Common): Step {
  const stars = starsOf(message);
  if (typeof stars === 'string') return senseless(stars);

  const part = { refundId: null, refunded: stars, cumulative: null };
  const data: Refund = { ...paymentOf(message, bot), ...part };
  return {
    kind: 'event',
    event: makeEvent({
      ...common,
      ...paymentDraft(message, bot, stars),
      type: 'payment.refunded',
      data,
    }),
  };
}

/** A payment and its refund have one identity and one subject; their types tell them apart. */
function paymentDraft(
  { chargeId, payload, date }: PaymentMessage,
  bot: string,
  stars: Money | null,
): Pick<Draft<'payment.paid'>, 'identity' | 'subject' | 'time' | 'money' | 'reference'> {
  return {
    identity: [bot, chargeId],
    subject: `payment:telegram:${bot}:${chargeId}`,
    time: timeOf(date),
    money: stars,
    reference: payload,
  };
}

function paymentOf(message: PaymentMessage, bot: string): Payment {
  const { chargeId, payload, payer, language, recurring } = message;
  return {
    provider: 'telegram',
    app: bot,
    paymentId: chargeId,
    reference: payload,
    paid: null,
    price: null,
    fee: null,
    swap: null,
    payer,
    ...(language === null ? {} : { language: language.slice(0, 35) }),
    recurring,
  };
}

const WHOLE_STARS = /^\d{1,15}$/;

/**
 * Whole Stars, or why there are none. Money in another currency went to a payment provider of the bot,
 * in minor units of which Telegram alone keeps the table, and Telegram owes none of it: no booking of
 * ours would be right.
 */
export function starsOf({
  currency,
  totalAmount,
}: Pick<PaymentMessage, 'currency' | 'totalAmount'>): Money | string {
  if (currency !== 'XTR') return 'payment-not-in-stars';
  if (totalAmount === null || !WHOLE_STARS.test(totalAmount)) return 'stars-make-no-sense';
  return parseMoney('XTR', totalAmount) ?? 'stars-make-no-sense';
}

/** The updates that carry no time and no money: the update's id is their identity. */
function subscription(
  { updateId, user, payload, state }: SubscriptionUpdate,
  bot: string,
  common: Common,
): Step {
  const event = makeEvent({
    ...common,
    type: 'subscription.changed',
    identity: [bot, updateId],
    // A user may hold several; a payload is what Telegram tells them apart by, and may be long.
    subject: `subscription:telegram:${bot}:${user}:${sha256(payload).slice(0, 40)}`,
    time: null,
    money: null,
    reference: payload,
    data: { app: bot, user, reference: payload, state },
  });
  return { kind: 'event', event };
}

function media({ updateId, user, payload }: MediaUpdate, bot: string, common: Common): Step {
  const event = makeEvent({
    ...common,
    type: 'media.purchased',
    identity: [bot, updateId],
    subject: `media:telegram:${bot}:${updateId}`,
    time: null,
    money: null,
    reference: payload,
    data: { app: bot, user, reference: payload },
  });
  return { kind: 'event', event };
}

/** Unix seconds. What is none must not cost the payment: it is then the time of receipt. */
function timeOf(seconds: string | null): Date | null {
  if (seconds === null || !/^[1-9]\d{0,9}$/.test(seconds)) return null;
  return new Date(Number(seconds) * 1000);
}
