import type { KopeckEvent } from '@kopeck/core/event';
import { isRecord, textAt } from '@kopeck/core/json';
import type { Delivery } from '@kopeck/core/source';
import type { BotApi } from '../telegram/client.ts';
import { normalise, unpricedPayment } from '../telegram/normalise.ts';
import { parse } from '../telegram/parse.ts';
import { asDelivered } from './delivery.ts';
import type { Heard } from './heard.ts';
import type { ReadList } from './reconcile.ts';

const PAGE = 100;

/** The bot's transactions, oldest first, from where the last reading ended; its last page once more. */
export function readTransactions(bot: BotApi, heard: Heard): ReadList {
  return async (take, { redis, key, now }) => {
    const ended = Number((await redis.get(key)) ?? 0);
    let offset = Math.max(0, ended - PAGE);
    for (;;) {
      const transactions = await pageOf(bot, offset);
      // The list is shorter than it was: it is another bot's, or another list.
      if (transactions.length === 0 && offset > 0 && offset < ended) {
        offset = 0;
        await redis.del(key);
        continue;
      }
      const eventsOf = (each: readonly Transaction[]): KopeckEvent[] =>
        each.flatMap((transaction) => eventOf(transaction, bot.bot, now()) ?? []);
      const media = transactions.filter(({ source }) => isMedia(source));
      const others = transactions.filter(({ source }) => !isMedia(source));
      await take(await withoutHeard(eventsOf(others), heard));
      await take(eventsOf(media), 'list-alone');
      offset += transactions.length;
      await redis.set(key, offset);
      if (transactions.length < PAGE) return;
    }
  };
}

async function pageOf(bot: BotApi, offset: number): Promise<readonly Record<string, unknown>[]> {
  const called = await bot.call('getStarTransactions', { offset, limit: PAGE });
  const list = called.kind === 'ok' && isRecord(called.result) ? called.result : {};
  const { transactions } = list;
  if (!Array.isArray(transactions)) throw new Error(`getStarTransactions: ${called.kind}`);
  return transactions.filter(isRecord);
}

/** Null: not a payment of a user to the bot, nor its refund. */
export function eventOf(
  transaction: Transaction,
  bot: string,
  receivedAt: Date,
): KopeckEvent | null {
  const { source, receiver } = transaction;
  const isRefund = !isRecord(source);
  const partner = isRefund ? receiver : source;
  if (!isRecord(partner) || !isPayment(partner)) return null;

  const update = updateOf(transaction, partner, isRefund);
  if (isShared(transaction, partner)) {
    const evidence = asDelivered({ star_transaction: transaction }, receivedAt);
    return isRefund ? null : sharedPayment(update, bot, evidence);
  }
  if (isRefund && isMedia(partner)) return null;
  const delivery = asDelivered(update, receivedAt);
  const parsed = parse(delivery);
  if (parsed.kind !== 'parsed') return null;
  const normalised = normalise(parsed.value, { bot }, delivery);
  return normalised.kind === 'event' ? normalised.event : null;
}

/** As the webhook that should have come. */
function updateOf(
  { id, amount, date }: Transaction,
  partner: Transaction,
  isRefund: boolean,
): object {
  const { user } = partner;
  const payment = {
    currency: 'XTR',
    total_amount: amount,
    invoice_payload: partner[isMedia(partner) ? 'paid_media_payload' : 'invoice_payload'],
    telegram_payment_charge_id: id,
    ...(partner['subscription_period'] === undefined ? {} : { is_recurring: true }),
  };
  const key = isRefund ? 'refunded_payment' : 'successful_payment';
  return { message: { from: user, chat: user, date, [key]: payment } };
}

function sharedPayment(update: object, bot: string, evidence: Delivery): KopeckEvent | null {
  const parsed = parse(asDelivered(update, evidence.receivedAt));
  if (parsed.kind !== 'parsed' || parsed.value.kind !== 'paid') return null;
  return unpricedPayment(parsed.value.payment, bot, evidence);
}

type Transaction = Readonly<Record<string, unknown>>;

function isPayment(partner: Transaction): boolean {
  const type = textAt(partner, 'transaction_type') ?? 'invoice_payment';
  return textAt(partner, 'type') === 'user' && (type === 'invoice_payment' || type === PAID_MEDIA);
}

const PAID_MEDIA = 'paid_media_payment';

/** No webhook tells what was paid for it. */
function isMedia(partner: unknown): boolean {
  return isRecord(partner) && textAt(partner, 'transaction_type') === PAID_MEDIA;
}

/** The bot got less than was paid: an affiliate had a share, and the list does not say of how much. */
function isShared({ nanostar_amount: rest }: Transaction, partner: Transaction): boolean {
  return partner['affiliate'] !== undefined || (rest !== undefined && rest !== '0');
}

/** Its webhook came and told what was paid: the list has nothing to add. */
async function withoutHeard(
  events: readonly KopeckEvent[],
  heard: Heard,
): Promise<readonly KopeckEvent[]> {
  const unpriced = events.filter(({ type, data }) => type === 'payment.paid' && data.paid === null);
  const news = new Set(await heard.unheard(unpriced));
  return events.filter((event) => !unpriced.includes(event) || news.has(event));
}
