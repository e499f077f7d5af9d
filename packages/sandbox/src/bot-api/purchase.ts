import { randomInt } from 'node:crypto';
import Joi from 'joi';
import { newChargeId, seconds, type Transaction } from './account.ts';
import type { Telegram } from './methods.ts';
import {
  preCheckoutQuery,
  purchasedPaidMedia,
  successfulPayment,
  type Purchase,
} from './updates.ts';

interface PurchaseRequest {
  readonly user: number;
  /** Of createInvoiceLink; without one, stars and payload say what is bought. */
  readonly link?: string;
  readonly stars: number;
  readonly payload: string;
  readonly languageCode: string;
  readonly recurring: Purchase['recurring'];
  readonly affiliate: number;
}

export const PURCHASE = Joi.object<PurchaseRequest>({
  user: Joi.number().integer().required(),
  link: Joi.string(),
  stars: Joi.number().integer().default(1),
  payload: Joi.string().allow('').default(''),
  languageCode: Joi.string().default('ru'),
  recurring: Joi.valid('first', 'renewal').allow(null).default(null),
  affiliate: Joi.number().integer().min(0).default(0),
});

export const MEDIA = Joi.object<Pick<Purchase, 'user' | 'stars' | 'payload'>>({
  user: Joi.number().integer().required(),
  stars: Joi.number().integer().min(1).default(1),
  payload: Joi.string().allow('').default(''),
});

/** Null: no such link. */
export function purchaseOf({ account }: Telegram, request: PurchaseRequest): Purchase | null {
  const { link, ...purchase } = request;
  if (link === undefined) return purchase;

  const invoice = account.invoices.find((candidate) => candidate.link === link);
  if (invoice === undefined) return null;
  const { stars, payload, isSubscription } = invoice;
  const recurring = isSubscription ? (request.recurring ?? 'first') : null;
  return { ...purchase, stars, payload, recurring };
}

/** Asks first, and takes the Stars only when the bot lets it; a renewal is not asked about. */
export async function pay(telegram: Telegram, purchase: Purchase): Promise<object> {
  const checkout = purchase.recurring === 'renewal' ? { ok: true } : await ask(telegram, purchase);
  if (String(checkout.ok) !== 'true') return { checkout, payment: null };

  const { account, updates, now } = telegram;
  const { user, stars: amount, payload, affiliate } = purchase;
  const date = seconds(now());
  const id = newChargeId();
  const paid: Transaction = { id, kind: 'payment', amount, date, user, payload, affiliate };
  account.transactions.push(paid);
  const messageId = account.transactions.length;
  const delivered = await updates.deliver(successfulPayment(messageId, purchase, paid));
  return { checkout, payment: { chargeId: paid.id, delivered } };
}

/** Nobody is asked, and the update names neither the charge nor the amount: those stand in the list. */
export async function payMedia(
  { account, updates, now }: Telegram,
  { user, stars: amount, payload }: Pick<Purchase, 'user' | 'stars' | 'payload'>,
): Promise<object> {
  const id = newChargeId();
  const date = seconds(now());
  account.transactions.push({ id, kind: 'payment', amount, date, user, payload, isMedia: true });
  return { chargeId: id, delivered: await updates.deliver(purchasedPaidMedia(user, payload)) };
}

interface Answer {
  readonly ok?: unknown;
}

/** The answer stands in the response to the webhook, or came by a call while that was under way. */
async function ask(telegram: Telegram, purchase: Purchase): Promise<Answer> {
  const { questions, updates } = telegram;
  const queryId = String(randomInt(2 ** 47));
  questions.set(queryId, null);
  const delivered = await updates.deliver(preCheckoutQuery(queryId, purchase));
  const byCall = questions.get(queryId);
  questions.delete(queryId);
  return byCall ?? callIn(delivered?.body, queryId) ?? {};
}

function callIn(body: unknown, queryId: string): Answer | null {
  if (typeof body !== 'object' || body === null) return null;
  const call = body as Answer & { method?: unknown; pre_checkout_query_id?: unknown };
  const isAnswer = call.method === 'answerPreCheckoutQuery';
  return isAnswer && call.pre_checkout_query_id === queryId ? call : null;
}
