import type { Money } from './money.ts';

export const SOURCES = ['sbp', 'cryptobot', 'telegram', 'crypto', 'epn', 'admin'] as const;
export type SourceName = (typeof SOURCES)[number];

/** Which sources may speak on which queue: the ledger believes the queue, not the event. */
export const QUEUES = {
  'events-sbp': ['sbp'],
  'events-crypto': ['cryptobot', 'telegram', 'crypto'],
  'events-epn': ['epn'],
  'events-admin': ['admin'],
} as const satisfies Record<string, readonly SourceName[]>;
export type QueueName = keyof typeof QUEUES;

/** A test network's money is booked to accounts of its own and grants nothing. */
export type Network = 'main' | 'test';

/** What the payment of an order gives its user. */
export type Grant =
  | {
      readonly kind: 'credit';
      readonly user: string;
      readonly asset: string;
      readonly amount: string;
    }
  | {
      readonly kind: 'subscription';
      readonly user: string;
      readonly plan: string;
      readonly days: number;
    };

export interface OrderCreated {
  readonly orderId: string;
  /** What the order costs. Its payment must be exactly this. */
  readonly price: Money;
  readonly grants: readonly Grant[];
  /** Whom the shop sells to, when it said so. */
  readonly user: string | null;
}

export interface Payment {
  /** 'raiffeisen', 'cryptobot', 'telegram': the end of the provider's account name. */
  readonly provider: string;
  /** The app id, bot id or merchant id that took the money. */
  readonly app: string;
  /** The partner's own id of the payment: invoice id, charge id, QR id. */
  readonly paymentId: string;
  /** The order id or payload as the partner echoes it, unread. */
  readonly reference: string | null;
  /** What was paid, gross. Null: the partner did not say (the minimal body). */
  readonly paid: Money | null;
  /** What the invoice asked for, where that is another asset than was paid. */
  readonly price: Money | null;
  readonly fee: Money | null;
  /** What the partner exchanged the net amount into. */
  readonly swap: Money | null;
  /** The payer's id at the partner, where the partner tells it. */
  readonly payer: string | null;
  /** The payer's language as the partner knows it ('ru', 'en-US'); absent where it tells none. */
  readonly language?: string | null;
  /** Set on the payments of a subscription. */
  readonly recurring: 'first' | 'renewal' | null;
}

export interface Refund extends Payment {
  readonly refundId: string | null;
  /** What this refund gave back; `paid` is then null. Null with `cumulative` set, and the reverse. */
  readonly refunded: Money | null;
  /** All that was given back so far, where the partner tells no single refunds. */
  readonly cumulative: Money | null;
}

export interface AffiliateAction {
  readonly partner: string;
  readonly actionId: string;
  readonly actionKind: 'native' | 'synthetic';
  readonly clickId: string;
  readonly orderNumber: string;
  /** The partner's word for the status, as it came. */
  readonly rawStatus: string;
  readonly commission: Money | null;
  readonly revenue: Money | null;
  readonly fields: Readonly<Record<string, string>>;
  /** The id of the signed message that brought it: the same on each attempt, of one event only. */
  readonly messageId?: string;
}

export interface SubscriptionChange {
  readonly app: string;
  readonly user: string;
  readonly reference: string;
  readonly state: string;
}

export interface MediaPurchase {
  readonly app: string;
  readonly user: string;
  readonly reference: string;
}

export interface ConfigRefresh {
  readonly purchaseId: string;
  readonly operationId: string;
  readonly result: string;
  readonly links: number;
}

/** A canary: it says only that an event can come through. Its `time` is when it set out. */
export interface Heartbeat {
  /** Which copy of the service has sent it. */
  readonly copy: string;
}

export interface Quarantine {
  /** A word for the operator, never a quotation of what came. */
  readonly reason: string;
}

/** What a person decided about a row of the review queue. The event's subject is the row's. */
export interface ReviewDecision {
  /** The event that opened the row, and why it did. */
  readonly eventId: string;
  readonly reason: string;
  readonly by: string;
  readonly why: string;
}

export interface EventData {
  readonly 'order.created': OrderCreated;
  readonly 'payment.paid': Payment;
  readonly 'payment.failed': Payment;
  readonly 'payment.expired': Payment;
  readonly 'payment.refunded': Refund;
  readonly 'subscription.changed': SubscriptionChange;
  readonly 'media.purchased': MediaPurchase;
  readonly 'affiliate.waiting': AffiliateAction;
  readonly 'affiliate.pending': AffiliateAction;
  readonly 'affiliate.completed': AffiliateAction;
  readonly 'affiliate.rejected': AffiliateAction;
  readonly 'config.refreshed': ConfigRefresh;
  readonly 'review.settled': ReviewDecision;
  readonly 'review.dismissed': ReviewDecision;
  readonly heartbeat: Heartbeat;
  readonly quarantined: Quarantine;
}
export type EventType = keyof EventData;

/** A CloudEvents 1.0 envelope in its JSON form; extension names are lower case, as it asks. */
export interface EventOf<T extends EventType> {
  readonly specversion: '1.0';
  /** The UNIQUE key of the ledger: see identity.ts. */
  readonly id: string;
  readonly source: SourceName;
  readonly type: T;
  /** Whose state the event changes; all events of a subject are folded together. ≤ 300 characters. */
  readonly subject: string;
  /** The partner's time of the event, else `receivedat`. ISO 8601 in UTC with milliseconds. */
  readonly time: string;
  readonly receivedat: string;
  readonly network: Network;
  readonly contenthash: string;
  readonly data: EventData[T];
  /** JSON text of what came: see evidence.ts. Empty when nothing came from outside. */
  readonly evidence: string;
}

/** A union over the types, so that a check of `type` tells the shape of `data`. */
export type KopeckEvent = { [T in EventType]: EventOf<T> }[EventType];
