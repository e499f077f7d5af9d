import type { Order, OrderKey } from './payment.ts';
import type { Posting } from './posting.ts';
import type { Messages } from './svix-messages.ts';
import type { Stored } from './stored-event.ts';

/** What is known by the id of an event of this batch: rows of the inbox, and conflicts that are kept. */
export interface Seen {
  readonly contenthash: string;
  /** Without an amount, waiting for its like that has one. */
  readonly isIncomplete: boolean;
  /** False: only kept, as a conflict. */
  readonly isBooked: boolean;
}

/**
 * What the books say about everything that a batch touches: loaded once in the booking transaction,
 * then kept up while the batch is decided event by event.
 */
export interface Knowledge {
  readonly seen: Map<string, readonly Seen[]>;
  readonly events: Map<string, readonly Stored[]>;
  readonly booked: Map<string, readonly Posting[]>;
  readonly orders: Map<string, Order>;
  /** Payments by the order they name. */
  readonly payments: Map<string, readonly string[]>;
  /** Subjects that earlier batches have events of. All others have no state yet, in no table. */
  readonly earlier: ReadonlySet<string>;
  readonly messages: Messages;
}

export function emptyKnowledge(): Knowledge {
  return {
    seen: new Map(),
    events: new Map(),
    booked: new Map(),
    orders: new Map(),
    payments: new Map(),
    earlier: new Set(),
    messages: new Map(),
  };
}

/** One text for an order, as a key of maps. */
export function orderText({ source, orderId }: OrderKey): string {
  return `${source}:${orderId}`;
}

export function push<T>(
  map: Map<string, readonly T[]>,
  key: string,
  ...values: readonly T[]
): void {
  map.set(key, [...(map.get(key) ?? []), ...values]);
}
