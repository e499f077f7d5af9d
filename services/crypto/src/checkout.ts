import { mintedOrderId, starsPayloadGrant } from '@kopeck/core/grants';
import type { Money } from '@kopeck/core/money';
import type { FindOpenOrder } from './open-orders.ts';
import { starsOf } from './telegram/normalise.ts';
import type { CheckoutQuestion } from './telegram/parse.ts';

export interface CheckoutDeps {
  /** Whether the payment that follows could be made durable. */
  readonly writable: () => Promise<boolean>;
  readonly findOpenOrder: FindOpenOrder;
  readonly ndnPerStar: string;
}

/** Why a payment may not go ahead; the words for the payer are in TEXTS. */
export type CheckoutRefusal = 'unavailable' | 'closed' | 'price' | 'payload';

/**
 * A payment that would only end in review is refused while the payer still has the money. Everything
 * else is let through: what has been paid is booked.
 */
export async function judgeCheckout(
  question: CheckoutQuestion,
  { writable, findOpenOrder, ndnPerStar }: CheckoutDeps,
): Promise<CheckoutRefusal | null> {
  if (!(await writable())) return 'unavailable';

  const stars = starsOf(question);
  if (typeof stars === 'string') return 'payload';

  const { payload } = question;
  const orderId = mintedOrderId(payload);
  if (orderId !== null) return judgeOrder(orderId, stars, findOpenOrder);
  return starsPayloadGrant(payload, stars.amount, ndnPerStar).ok ? null : 'payload';
}

async function judgeOrder(
  orderId: string,
  stars: Money,
  findOpenOrder: FindOpenOrder,
): Promise<CheckoutRefusal | null> {
  try {
    const price = await findOpenOrder(orderId);
    if (price === null) return 'closed';
    return price.asset === stars.asset && price.amount === stars.amount ? null : 'price';
  } catch {
    return 'unavailable';
  }
}

/** A call of the Bot API that Telegram makes for us when it stands in the answer to its webhook. */
export interface CheckoutAnswer {
  readonly method: 'answerPreCheckoutQuery';
  readonly pre_checkout_query_id: string;
  readonly ok: boolean;
  readonly error_message?: string;
}

export function checkoutAnswer(
  { queryId, languageCode }: CheckoutQuestion,
  refusal: CheckoutRefusal | null,
): CheckoutAnswer {
  const call = { method: 'answerPreCheckoutQuery', pre_checkout_query_id: queryId } as const;
  if (refusal === null) return { ...call, ok: true };
  return { ...call, ok: false, error_message: TEXTS[refusal][languageOf(languageCode)] };
}

type Language = 'ru' | 'en';

const TEXTS: Readonly<Record<CheckoutRefusal, Readonly<Record<Language, string>>>> = {
  unavailable: {
    ru: 'Оплата временно недоступна. Попробуйте через минуту.',
    en: 'Payments are unavailable right now. Please try again in a minute.',
  },
  closed: {
    ru: 'Заказ уже закрыт. Создайте новый счёт.',
    en: 'This order is closed. Please create a new invoice.',
  },
  price: {
    ru: 'Цена заказа изменилась. Создайте новый счёт.',
    en: 'The price of this order has changed. Please create a new invoice.',
  },
  payload: {
    ru: 'Этот счёт недействителен. Создайте новый счёт.',
    en: 'This invoice is not valid. Please create a new one.',
  },
};

/** 'ru', 'ru-RU'; whoever tells no language is in a shop whose language is Russian. */
function languageOf(code: string | null): Language {
  return code === null || /^ru(-|$)/i.test(code) ? 'ru' : 'en';
}
