import { randomBytes } from 'node:crypto';

/** A payment that the bot got, or gave back: getStarTransactions shows both under one id. */
export interface Transaction {
  readonly id: string;
  readonly kind: 'payment' | 'refund';
  readonly amount: number;
  /** Unix seconds. */
  readonly date: number;
  readonly user: number;
  readonly payload: string;
  /** What of the amount went to whoever had brought the payer. */
  readonly affiliate?: number;
  /** Of paid media, which no invoice is made for. */
  readonly isMedia?: boolean;
}

export interface Invoice {
  readonly link: string;
  readonly title: string;
  readonly payload: string;
  readonly stars: number;
  readonly isSubscription: boolean;
}

/** A call of sendMessage, taken or not. */
export interface Sending {
  readonly chat: number;
  /** ISO 8601. */
  readonly at: string;
  readonly status: number;
}

/** What a bot owns at Telegram. */
export interface Account {
  readonly transactions: Transaction[];
  readonly invoices: Invoice[];
  readonly messages: object[];
  readonly sendings: Sending[];
}

export function emptyAccount(): Account {
  return { transactions: [], invoices: [], messages: [], sendings: [] };
}

/** As long as real ones are (over 128 characters) and case-sensitive, as they are. */
export function newChargeId(): string {
  return `stx${randomBytes(104).toString('base64url')}`;
}

export function newLink(): string {
  return `https://t.me/$${randomBytes(12).toString('base64url')}`;
}

/** A transaction in the words of the Bot API: money that came has a source, money that went a receiver. */
export function starTransaction(transaction: Transaction): object {
  const { id, kind, amount, date, user, payload, affiliate = 0, isMedia = false } = transaction;
  const partner = {
    type: 'user',
    ...(isMedia
      ? { transaction_type: 'paid_media_payment', paid_media_payload: payload }
      : { transaction_type: 'invoice_payment', invoice_payload: payload }),
    user: userOf(user),
    ...(affiliate === 0 ? {} : { affiliate: { commission_per_mille: 100, amount: affiliate } }),
  };
  const side = kind === 'payment' ? { source: partner } : { receiver: partner };
  return { id, amount: amount - affiliate, date, ...side };
}

export function userOf(id: number, languageCode = 'ru'): object {
  return { id, is_bot: false, first_name: 'Мария', language_code: languageCode };
}

export function chatOf(id: number): object {
  return { id, first_name: 'Мария', type: 'private' };
}

/** Unix seconds. */
export function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
