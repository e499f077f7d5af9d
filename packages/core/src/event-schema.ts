import Joi from 'joi';
import { QUEUES, type EventType, type KopeckEvent, type QueueName } from './event.ts';
import { canonicalAmount, isAsset } from './money.ts';

/** What lies on a queue is no event of ours: nothing may be booked from it. */
export class UndecodableEvent extends Error {
  override name = 'UndecodableEvent' as const;
}

const text = Joi.string().allow('');
const name = Joi.string().max(255);
const reference = Joi.string().allow('', null);

/** Zero is an amount (a commission of nothing); what goes back is an event of its own, not a minus. */
function isBookable(amount: string): boolean {
  return canonicalAmount(amount) === amount && !amount.startsWith('-');
}

const asset = Joi.string().custom((code: string) => must(isAsset(code), code));
const amount = Joi.string().custom((decimal: string) => must(isBookable(decimal), decimal));
const money = Joi.object({ asset, amount }).options({ presence: 'required' });
const maybeMoney = money.allow(null);

const payment = {
  provider: name,
  app: name,
  paymentId: name,
  reference,
  paid: maybeMoney,
  price: maybeMoney,
  fee: maybeMoney,
  swap: maybeMoney,
  payer: name.allow(null),
  language: name.allow(null).optional(),
  recurring: Joi.valid('first', 'renewal', null),
};

const grant = Joi.alternatives(
  Joi.object({ kind: Joi.valid('credit'), user: name, asset, amount }),
  Joi.object({
    kind: Joi.valid('subscription'),
    user: name,
    plan: name,
    days: Joi.number().integer().min(1),
  }),
);

const affiliate = {
  partner: name,
  actionId: name,
  actionKind: Joi.valid('native', 'synthetic'),
  clickId: name,
  orderNumber: name,
  rawStatus: text,
  commission: maybeMoney,
  revenue: maybeMoney,
  fields: Joi.object().pattern(Joi.string(), text),
  messageId: name.optional(),
};

const review = { eventId: name, reason: name, by: name, why: name };

const byBot = { app: name, user: name, reference: text };

const DATA: Readonly<Record<EventType, Joi.SchemaMap>> = {
  'order.created': {
    orderId: name,
    price: money,
    grants: Joi.array().items(grant),
    user: name.allow(null),
  },
  'payment.paid': payment,
  'payment.failed': payment,
  'payment.expired': payment,
  'payment.refunded': {
    ...payment,
    refundId: name.allow(null),
    refunded: maybeMoney,
    cumulative: maybeMoney,
  },
  'subscription.changed': { ...byBot, state: name },
  'media.purchased': byBot,
  'affiliate.waiting': affiliate,
  'affiliate.pending': affiliate,
  'affiliate.completed': affiliate,
  'affiliate.rejected': affiliate,
  'config.refreshed': {
    purchaseId: name,
    operationId: name,
    result: name,
    links: Joi.number().integer(),
  },
  'review.settled': review,
  'review.dismissed': review,
  heartbeat: { copy: name },
  quarantined: { reason: name },
};

const instant = Joi.string().isoDate();
const hex64 = Joi.string().pattern(/^[0-9a-f]{64}$/);

const SCHEMAS = new Map(
  Object.entries(DATA).map(([type, data]) => [
    type,
    Joi.object({
      specversion: Joi.valid('1.0'),
      id: Joi.string().pattern(/^[a-z]+\.[a-z.]+\.[0-9a-f]{40}$/),
      source: Joi.string(),
      type: Joi.valid(type),
      subject: Joi.string().max(300),
      time: instant,
      receivedat: instant,
      network: Joi.valid('main', 'test'),
      contenthash: hex64,
      data: Joi.object(data).unknown(),
      evidence: text,
    }).options({ presence: 'required', convert: false }),
  ]),
);

/**
 * Reads what came off a queue. The queue says which sources may speak there; an event of another one
 * is refused, whoever put it there. Throws UndecodableEvent, whose message quotes nothing.
 */
export function decodeEvent(queue: QueueName, value: unknown): KopeckEvent {
  const { id, source, type } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const schema = typeof type === 'string' ? SCHEMAS.get(type) : undefined;
  if (schema === undefined) throw new UndecodableEvent('no event of a known type');

  const sources: readonly unknown[] = QUEUES[queue];
  if (!sources.includes(source)) throw new UndecodableEvent(`not a source of ${queue}`);
  if (typeof id !== 'string' || !id.startsWith(`${String(source)}.${String(type)}.`)) {
    throw new UndecodableEvent('an id of another source or type');
  }
  const { error } = schema.validate(value);
  if (error !== undefined) throw new UndecodableEvent(`not understood: ${placeOf(error)}`);
  return value as KopeckEvent;
}

/** Joi's own words quote what was given. */
function placeOf({ details }: Joi.ValidationError): string {
  return details[0]?.path.join('.') ?? 'event';
}

function must<T>(isRight: boolean, value: T): T {
  if (!isRight) throw new TypeError('not canonical');
  return value;
}
