import type { KopeckEvent } from '@kopeck/core/event';
import { isRecord, textAt } from '@kopeck/core/json';
import type { BotApi } from '../telegram/client.ts';
import { normalise } from '../telegram/normalise.ts';
import { parse } from '../telegram/parse.ts';
import { asDelivered } from './delivery.ts';
import type { ReadList } from './reconcile.ts';

const PAGE = 100;

/** The bot's transactions, oldest first, from where the last reading ended; its last page once more. */
export function readTransactions(bot: BotApi): ReadList {
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
      await take(transactions.flatMap((each) => eventOf(each, bot.bot, now()) ?? []));
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

/**
 * Null: not a payment of a user to the bot, nor its refund. Also where an affiliate had a share: the
 * bot then got less than was paid, and only the webhook tells how much that was.
 */
export function eventOf(
  transaction: Readonly<Record<string, unknown>>,
  bot: string,
  receivedAt: Date,
): KopeckEvent | null {
  const { id, amount, date, source, receiver, nanostar_amount: rest } = transaction;
  const partner = isRecord(source) ? source : receiver;
  if (!isRecord(partner) || !isInvoice(partner) || (rest !== undefined && rest !== '0'))
    return null;

  const { user } = partner;
  const payment = {
    currency: 'XTR',
    total_amount: amount,
    invoice_payload: partner['invoice_payload'],
    telegram_payment_charge_id: id,
    ...(partner['subscription_period'] === undefined ? {} : { is_recurring: true }),
  };
  const key = partner === source ? 'successful_payment' : 'refunded_payment';
  const delivery = asDelivered(
    { message: { from: user, chat: user, date, [key]: payment } },
    receivedAt,
  );
  const parsed = parse(delivery);
  if (parsed.kind !== 'parsed') return null;
  const normalised = normalise(parsed.value, { bot }, delivery);
  return normalised.kind === 'event' ? normalised.event : null;
}

function isInvoice(partner: Readonly<Record<string, unknown>>): boolean {
  const type = textAt(partner, 'transaction_type') ?? 'invoice_payment';
  return (
    textAt(partner, 'type') === 'user' &&
    type === 'invoice_payment' &&
    partner['affiliate'] === undefined
  );
}
