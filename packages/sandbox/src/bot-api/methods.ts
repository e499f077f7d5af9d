import Joi from 'joi';
import {
  chatOf,
  newLink,
  seconds,
  starTransaction,
  type Account,
  type Invoice,
  type Transaction,
} from './account.ts';
import type { Knobs } from './knobs.ts';
import { refundedPayment, type Updates } from './updates.ts';

/** A call that Telegram refuses, in its words. */
export interface Refusal {
  readonly error_code: number;
  readonly description: string;
  readonly parameters?: { readonly retry_after: number };
}

export interface Telegram {
  readonly bot: object;
  readonly account: Account;
  readonly knobs: { current: Knobs };
  readonly updates: Updates;
  /** Answers to questions that are under way, by query id. */
  readonly questions: Map<string, object | null>;
  readonly now: () => Date;
}

type Parameters = Readonly<Record<string, unknown>>;
export type Method = (telegram: Telegram, parameters: Parameters) => unknown;

export const METHODS: Readonly<Record<string, Method>> = {
  getMe: ({ bot }) => bot,
  sendMessage,
  answerPreCheckoutQuery,
  createInvoiceLink,
  refundStarPayment,
  getStarTransactions,
};

export function refusal(error_code: number, words: string): Refusal {
  return { error_code, description: words };
}

const MESSAGE = Joi.object<{ chat_id: number; text: string }>({
  chat_id: Joi.number().integer().required(),
  text: Joi.string().max(4096).required(),
}).unknown();

function sendMessage(telegram: Telegram, parameters: Parameters): unknown {
  const { value, error } = MESSAGE.validate(parameters);
  if (error !== undefined) return refusal(400, 'Bad Request: message text is empty');

  const { account, now } = telegram;
  const refused = refusalOfMessage(telegram, value.chat_id);
  const status = refused?.error_code ?? 200;
  account.sendings.push({ chat: value.chat_id, at: now().toISOString(), status });
  if (refused !== null) return refused;

  const message = {
    message_id: account.messages.length + 1,
    date: seconds(now()),
    chat: chatOf(value.chat_id),
    text: value.text,
  };
  account.messages.push(message);
  return message;
}

function refusalOfMessage({ knobs }: Telegram, chat: number): Refusal | null {
  const { floods, retryAfter, blocked, strangers } = knobs.current;
  if (floods > 0) {
    knobs.current = { ...knobs.current, floods: floods - 1 };
    const words = `Too Many Requests: retry after ${retryAfter}`;
    return { ...refusal(429, words), parameters: { retry_after: retryAfter } };
  }
  if (blocked.includes(chat)) return refusal(403, 'Forbidden: bot was blocked by the user');
  return strangers.includes(chat) ? refusal(400, 'Bad Request: chat not found') : null;
}

function answerPreCheckoutQuery({ questions }: Telegram, parameters: Parameters): unknown {
  const id = String(parameters['pre_checkout_query_id']);
  if (!questions.has(id)) {
    const words = 'query is too old and response timeout expired or query ID is invalid';
    return refusal(400, `Bad Request: ${words}`);
  }
  questions.set(id, parameters);
  return true;
}

interface InvoiceParameters {
  readonly title: string;
  readonly description: string;
  readonly provider_token?: string;
  readonly payload: string;
  readonly currency: string;
  readonly prices: readonly { readonly amount: number }[];
  readonly subscription_period?: number;
}

/** A list in a form or a query comes as JSON text, which Joi reads. */
const INVOICE = Joi.object<InvoiceParameters>({
  title: Joi.string().max(32).required(),
  description: Joi.string().max(255).required(),
  payload: Joi.string().max(128, 'utf8').required(),
  provider_token: Joi.string().allow(''),
  currency: Joi.string().required(),
  prices: Joi.array()
    .items(Joi.object({ label: Joi.string().required(), amount: Joi.number().integer().min(1) }))
    .length(1)
    .required(),
  subscription_period: Joi.valid(2_592_000),
}).unknown();

function createInvoiceLink({ account }: Telegram, parameters: Parameters): unknown {
  const { value, error } = INVOICE.validate(parameters);
  if (error !== undefined) return refusal(400, 'Bad Request: STARS_INVOICE_INVALID');
  if (value.currency !== 'XTR') return refusal(400, 'Bad Request: PAYMENT_PROVIDER_INVALID');

  const invoice: Invoice = {
    link: newLink(),
    title: value.title,
    payload: value.payload,
    stars: value.prices[0]?.amount ?? 0,
    isSubscription: value.subscription_period !== undefined,
  };
  account.invoices.push(invoice);
  return invoice.link;
}

/** The bot is then told of its own refund by an update. */
function refundStarPayment(telegram: Telegram, parameters: Parameters): unknown {
  const { account, updates, bot, now } = telegram;
  const id = String(parameters['telegram_payment_charge_id']);
  const user = Number(parameters['user_id']);
  const isOf = (kind: Transaction['kind']) => (other: Transaction) =>
    other.id === id && other.user === user && other.kind === kind;

  const payment = account.transactions.find(isOf('payment'));
  if (payment === undefined) return refusal(400, 'Bad Request: CHARGE_ID_INVALID');
  if (account.transactions.some(isOf('refund'))) {
    return refusal(400, 'Bad Request: CHARGE_ALREADY_REFUNDED');
  }

  const refund: Transaction = { ...payment, kind: 'refund', date: seconds(now()) };
  account.transactions.push(refund);
  void updates.deliver(refundedPayment(account.transactions.length, bot, refund));
  return true;
}

const PAGE = Joi.object<{ offset: number; limit: number }>({
  offset: Joi.number().integer().min(0).default(0),
  limit: Joi.number().integer().min(1).max(100).default(100),
}).unknown();

/** The oldest first. */
function getStarTransactions({ account }: Telegram, parameters: Parameters): unknown {
  const { value, error } = PAGE.validate(parameters);
  if (error !== undefined) return refusal(400, 'Bad Request: invalid offset or limit');
  const page = account.transactions.slice(value.offset, value.offset + value.limit);
  return { transactions: page.map(starTransaction) };
}
