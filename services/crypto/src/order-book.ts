import type { Redis } from 'ioredis';
import type { KopeckEvent } from '@kopeck/core/event';
import { mintedOrderId } from '@kopeck/core/grants';
import type { Money } from '@kopeck/core/money';
import type { Log } from '@kopeck/runtime/log';
import { orderKey } from './open-orders.ts';

/** Where an invoice can be paid; what is absent this partner has not. */
export interface InvoiceLinks {
  readonly url: string;
  readonly invoiceId?: string;
  readonly miniAppUrl?: string;
  readonly webAppUrl?: string;
}

/** An order of ours as it stands in Redis until it expires. */
export interface OrderRecord {
  readonly price: Money;
  readonly open: boolean;
  readonly expiresAt: string;
  /** Null: its invoice was asked for, and nobody knows yet whether there is one. */
  readonly links: InvoiceLinks | null;
}

/** Every call throws when Redis is away: then no invoice is made. */
export interface OrderBook {
  /**
   * Whether the order stands for this content: it does from the first request on, for as long as
   * anybody may remember its id. What an order grants is journaled before its invoice is made, so an
   * id is used even when the invoice was refused or has expired.
   */
  readonly claim: (orderId: string, fingerprint: string, seconds: number) => Promise<boolean>;
  /** Null: the order was not there, and is the caller's now. Else what stands there. */
  readonly reserve: (
    orderId: string,
    record: OrderRecord,
    seconds: number,
  ) => Promise<OrderRecord | null>;
  readonly write: (orderId: string, record: OrderRecord) => Promise<void>;
  /** The same request may try again: only when its invoice is known not to exist. */
  readonly forget: (orderId: string) => Promise<void>;
  /** It was paid, and may not be paid again. */
  readonly close: (orderId: string) => Promise<void>;
}

/** After its order has expired: whoever uses an id again later than that has forgotten it, too. */
const REMEMBERED_SECONDS = 7 * 86_400;

export function openOrderBook(redis: Redis, prefix: string): OrderBook {
  const contentKey = (orderId: string): string =>
    `${prefix}:events-crypto:order-content:${orderId}`;
  const read = async (orderId: string): Promise<OrderRecord | null> => {
    const text = await redis.get(orderKey(prefix, orderId));
    return text === null ? null : (JSON.parse(text) as OrderRecord);
  };
  const write: OrderBook['write'] = async (orderId, record) => {
    await redis.set(orderKey(prefix, orderId), JSON.stringify(record), 'KEEPTTL');
  };

  return {
    async claim(orderId, fingerprint, seconds) {
      const key = contentKey(orderId);
      const keep = seconds + REMEMBERED_SECONDS;
      if ((await redis.set(key, fingerprint, 'EX', keep, 'NX')) !== null) return true;
      if ((await redis.get(key)) !== fingerprint) return false;
      await redis.expire(key, keep, 'GT');
      return true;
    },
    async reserve(orderId, record, seconds) {
      const key = orderKey(prefix, orderId);
      const isNew = await redis.set(key, JSON.stringify(record), 'EX', seconds, 'NX');
      return isNew === null ? read(orderId) : null;
    },
    write,
    async forget(orderId) {
      await redis.del(orderKey(prefix, orderId));
    },
    async close(orderId) {
      const record = await read(orderId);
      if (record?.open !== true) return;
      await write(orderId, { ...record, open: false });
      // Closed it stays: the same request, made again after the expiry, may not open it.
      const seconds = await redis.ttl(contentKey(orderId));
      if (seconds > 0) await redis.expire(orderKey(prefix, orderId), seconds, 'GT');
    },
  };
}

/** A link can be paid again and by anybody: the order behind it is done with. Renewals are not asked about. */
export function closeIfPaid(event: KopeckEvent, book: OrderBook, log: Log): void {
  if (event.type !== 'payment.paid') return;
  const orderId = mintedOrderId(event.data.reference);
  if (orderId === null) return;
  book.close(orderId).catch((error: unknown) => {
    log.warn('a paid order could not be closed', { orderId, error });
  });
}
