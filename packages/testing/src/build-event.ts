import type {
  AffiliateAction,
  KopeckEvent,
  OrderCreated,
  Payment,
  Refund,
} from '@kopeck/core/event';
import { makeEvent, type Draft } from '@kopeck/core/make-event';

/** Events as the receivers make them, with what a test does not care about filled in. */

const AT = new Date('2026-10-05T12:00:00.000Z');

interface Circumstances {
  readonly network?: 'main' | 'test';
  readonly time?: Date;
  readonly receivedAt?: Date;
}

type PaymentSource = 'sbp' | 'cryptobot' | 'telegram';

export interface PaymentFacts extends Circumstances, Partial<Payment> {
  readonly source: PaymentSource;
  readonly paymentId: string;
}

const APP: Readonly<Record<PaymentSource, string>> = {
  sbp: 'MA0000000001',
  cryptobot: '31337',
  telegram: '7000000001',
};

export function paymentEvent(
  type: 'payment.paid' | 'payment.failed' | 'payment.expired',
  facts: PaymentFacts,
): KopeckEvent {
  const data = paymentData(facts);
  return makeEvent({ ...frame(facts), type, identity: identityOf(facts), money: data.paid, data });
}

export function refundEvent(facts: PaymentFacts & Partial<Refund>): KopeckEvent {
  const { refundId = null, refunded = null, cumulative = null } = facts;
  const data = { ...paymentData(facts), paid: null, refundId, refunded, cumulative };
  const identity = refundId === null ? identityOf(facts) : [...identityOf(facts), refundId];
  return makeEvent({
    ...frame(facts),
    type: 'payment.refunded',
    identity,
    money: refunded ?? cumulative,
    data,
  });
}

export function orderEvent(
  source: 'sbp' | 'crypto',
  facts: Partial<OrderCreated> & Circumstances & { orderId: string },
): KopeckEvent {
  const { orderId, price = { asset: 'RUB', amount: '100' }, grants = [], user = null } = facts;
  return makeEvent({
    source,
    type: 'order.created',
    identity: [orderId],
    subject: `order:${source}:${orderId}`,
    ...times(facts),
    money: price,
    reference: orderId,
    data: { orderId, price, grants, user },
    evidence: '',
  });
}

export function affiliateEvent(
  status: 'waiting' | 'pending' | 'completed' | 'rejected',
  facts: Partial<AffiliateAction> & Circumstances & { actionId: string },
): KopeckEvent {
  const data: AffiliateAction = {
    partner: 'epn_bz',
    actionKind: 'native',
    clickId: '123',
    orderNumber: 'ORDER-001',
    rawStatus: status,
    commission: null,
    revenue: null,
    fields: {},
    ...pick(facts, AFFILIATE_KEYS.filter((key) => facts[key] !== undefined) as ['actionId']),
  };
  const { partner, actionId, commission, revenue, orderNumber } = data;
  const amounts = [revenue?.amount ?? '', commission?.amount ?? '', commission?.asset ?? ''];
  return makeEvent({
    source: 'epn',
    type: `affiliate.${status}`,
    identity: [partner, actionId, ...amounts],
    subject: `affiliate:${partner}:${actionId}`,
    ...times(facts),
    money: commission,
    reference: orderNumber,
    data,
    evidence: '{}',
  });
}

/** A canary that set out at `time`. */
export function heartbeatEvent(time: Date): KopeckEvent {
  return makeEvent({
    source: 'admin',
    type: 'heartbeat',
    identity: ['copy-1', time.toISOString()],
    subject: 'heartbeat',
    ...times({ time, receivedAt: time }),
    money: null,
    reference: null,
    data: { copy: 'copy-1' },
    evidence: '',
  });
}

const AFFILIATE_KEYS = [
  'partner',
  'actionId',
  'actionKind',
  'clickId',
  'orderNumber',
  'commission',
  'revenue',
  'fields',
  'messageId',
] as const satisfies readonly (keyof AffiliateAction)[];

function times({ network = 'main', time, receivedAt = AT }: Circumstances) {
  return { network, time: time ?? null, receivedAt } as const;
}

type Frame = Omit<Draft<'payment.paid'>, 'type' | 'identity' | 'money' | 'data'>;

function frame(facts: PaymentFacts): Frame {
  const { source, paymentId, reference = null } = facts;
  const { network } = times(facts);
  const app = facts.app ?? APP[source];
  const subject = `payment:${source}:${app}:${network}:${paymentId}`;
  return { source, subject, ...times(facts), reference, evidence: '{"body":"e30="}' };
}

function identityOf({
  source,
  paymentId,
  app = APP[source],
  network = 'main',
}: PaymentFacts): readonly string[] {
  return [app, network, paymentId];
}

function paymentData(facts: PaymentFacts): Payment {
  const { source } = facts;
  const nothing = { paid: null, price: null, fee: null, swap: null, payer: null, recurring: null };
  const all: Payment & Circumstances & { source?: PaymentSource } = {
    provider: source === 'sbp' ? 'raiffeisen' : source,
    app: APP[source],
    reference: null,
    ...nothing,
    ...facts,
  };
  return pick(all, PAYMENT_KEYS);
}

const PAYMENT_KEYS = [
  'provider',
  'app',
  'paymentId',
  'reference',
  'paid',
  'price',
  'fee',
  'swap',
  'payer',
  'recurring',
] as const satisfies readonly (keyof Payment)[];

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}
