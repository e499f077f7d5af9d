import type { Redis } from 'ioredis';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { parseMoney, type Money } from '@kopeck/core/money';

/**
 * The price of an order of ours that may still be paid; null when there is no such order. Throws when
 * that cannot be said: then nobody may pay.
 */
export type FindOpenOrder = (orderId: string) => Promise<Money | null>;

/** This service has no database: open orders stand in Redis, beside the queue. */
export function openOrders(redis: Redis, prefix: string): FindOpenOrder {
  return async (orderId) => {
    const text = await redis.get(orderKey(prefix, orderId));
    return text === null ? null : priceOf(text);
  };
}

/** `{"price":{"asset":"XTR","amount":"150"},"open":true}` stands there. */
export function orderKey(prefix: string, orderId: string): string {
  return `${prefix}:events-crypto:order:${orderId}`;
}

function priceOf(text: string): Money | null {
  const order = parseJsonText(Buffer.from(text));
  if (!isRecord(order) || order['open'] !== true || !isRecord(order['price'])) return null;
  const { price } = order;
  return parseMoney(textAt(price, 'asset') ?? '', textAt(price, 'amount') ?? '');
}
