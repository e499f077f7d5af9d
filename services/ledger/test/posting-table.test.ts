import { expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { formatAmount } from '@kopeck/core/money';
import {
  affiliateEvent,
  paymentEvent,
  refundEvent,
  type PaymentFacts,
} from '@kopeck/testing/build-event';
import { foldAffiliate } from '../src/affiliate.ts';
import { foldPayment, type Order } from '../src/payment.ts';
import type { Posting } from '../src/posting.ts';
import { storedEvent, type Inputs } from '../src/stored-event.ts';

const INPUTS: Inputs = {
  ndnPerStar: '10',
  plans: '{"pro-30":{"asset":"USDT","amount":"4.5","days":30}}',
  cashbackPercent: '0',
};

const stored = (events: readonly KopeckEvent[], inputs = INPUTS) =>
  events.map((event) => storedEvent(event, inputs));

/** The table's notation: account, asset, amount. */
function table(postings: readonly Posting[] | undefined): readonly string[] {
  return (postings ?? []).map(
    ({ account, asset, amount }) => `${account} ${formatAmount(amount)} ${asset}`,
  );
}

function payment(events: readonly KopeckEvent[], order: Order | null = null) {
  return foldPayment(stored(events), order);
}

const rub = (amount: string) => ({ asset: 'RUB', amount });
const ORDER: Order = {
  orderId: 'order-1',
  price: rub('100'),
  grants: [],
  user: null,
  network: 'main',
};
const SBP: PaymentFacts = {
  source: 'sbp',
  paymentId: 'AD1',
  reference: 'order-1',
  paid: rub('100'),
};
const STARS: PaymentFacts = {
  source: 'telegram',
  paymentId: 'stx1',
  paid: { asset: 'XTR', amount: '150' },
  reference: '{"telegram_id":5123456789,"amount_ndn":1500}',
};

test('an SBP payment of its order is sold', () => {
  const state = payment([paymentEvent('payment.paid', SBP)], ORDER);
  expect(table(state.target)).toEqual(['provider:sbp:raiffeisen 100 RUB', 'sales -100 RUB']);
  expect(state).toMatchObject({ status: 'paid', review: null });
});

test.each([
  ['without its order', null, rub('100'), 'order-unknown'],
  ['of another amount', ORDER, rub('99.99'), 'amount-differs'],
  ['of another asset', ORDER, { asset: 'USD', amount: '100' }, 'amount-differs'],
  [
    'of an order on the test network',
    { ...ORDER, network: 'test' as const },
    rub('100'),
    'order-unknown',
  ],
])('a payment %s waits in suspense for a person', (_what, order, paid, review) => {
  const state = payment([paymentEvent('payment.paid', { ...SBP, paid })], order);
  expect(table(state.target)).toEqual([
    `provider:sbp:raiffeisen ${paid.amount} ${paid.asset}`,
    `suspense -${paid.amount} ${paid.asset}`,
  ]);
  expect(state.review).toBe(review);
});

test('a payment that tells no amount books nothing and waits for a person', () => {
  const state = payment([paymentEvent('payment.paid', { ...SBP, paid: null })], ORDER);
  expect(state).toMatchObject({ target: [], review: 'amount-unknown', status: 'paid' });
});

test('a CryptoBot fee goes to its own account and the gross is sold', () => {
  const event = paymentEvent('payment.paid', {
    source: 'cryptobot',
    paymentId: '41877120',
    paid: { asset: 'USDT', amount: '4.5' },
    fee: { asset: 'USDT', amount: '0.135' },
    reference: '{"user_id":5123456789,"plan":"pro-30","days":30}',
  });
  const state = payment([event]);
  expect(table(state.target)).toEqual([
    'fees:cryptobot 0.135 USDT',
    'provider:cryptobot 4.365 USDT',
    'sales -4.5 USDT',
  ]);
  expect(state.review).toBeNull();
});

test('money of a test network never settles an order of the main one, and grants nothing', () => {
  const price = { asset: 'USDT', amount: '4.5' };
  const credit = { kind: 'credit', user: '5', asset: 'NDN', amount: '1000' } as const;
  const order: Order = { ...ORDER, orderId: 'kp_1', price, grants: [credit] };
  const facts = { source: 'cryptobot', paymentId: '1', paid: price, reference: 'kp_1' } as const;
  const state = payment([paymentEvent('payment.paid', { ...facts, network: 'test' })], order);
  expect(table(state.target)).toEqual([
    'provider:cryptobot:test 4.5 USDT',
    'suspense:test -4.5 USDT',
  ]);
  expect(state).toMatchObject({ review: 'order-unknown', grants: [] });
  const real = payment([paymentEvent('payment.paid', facts)], order);
  expect(real).toMatchObject({ review: null, grants: [credit] });
});

test('a swap moves the net through the exchange account', () => {
  const event = paymentEvent('payment.paid', {
    source: 'cryptobot',
    paymentId: '41880944',
    paid: { asset: 'TON', amount: '2.12233676' },
    price: rub('499'),
    fee: { asset: 'TON', amount: '0.0636701028' },
    swap: { asset: 'USDT', amount: '5.96684' },
    reference: 'order:01K9ZC9T2B7M',
  });
  expect(table(payment([event]).target)).toEqual([
    'exchange:cryptobot 2.0586666572 TON',
    'fees:cryptobot 0.0636701028 TON',
    'suspense -2.12233676 TON',
    'exchange:cryptobot -5.96684 USDT',
    'provider:cryptobot 5.96684 USDT',
  ]);
});

test('a fiat-priced invoice settles the order of that price', () => {
  const order: Order = { ...ORDER, orderId: 'kp_1', price: rub('499') };
  const event = paymentEvent('payment.paid', {
    source: 'cryptobot',
    paymentId: '1',
    paid: { asset: 'TON', amount: '2' },
    price: rub('499'),
    reference: 'kp_1',
  });
  expect(table(payment([event], order).target)).toEqual([
    'provider:cryptobot 2 TON',
    'sales -2 TON',
  ]);
});

test('stars are sold and credit the user of the payload', () => {
  expect(table(payment([paymentEvent('payment.paid', STARS)]).target)).toEqual([
    'issued:NDN -1500 NDN',
    'user:5123456789 1500 NDN',
    'provider:telegram 150 XTR',
    'sales -150 XTR',
  ]);
});

test('stars whose payload promises too much credit nobody', () => {
  const reference = '{"telegram_id":5123456789,"amount_ndn":1516}';
  const state = payment([paymentEvent('payment.paid', { ...STARS, reference })]);
  expect(table(state.target)).toEqual(['provider:telegram 150 XTR', 'suspense -150 XTR']);
  expect(state.review).toBe('payload-amount-off-rate');
});

test('money of a test network stays in accounts of its own and grants nothing', () => {
  const state = payment([paymentEvent('payment.paid', { ...STARS, network: 'test' })]);
  expect(table(state.target)).toEqual(['provider:telegram:test 150 XTR', 'sales:test -150 XTR']);
});

test('an asset that Kopeck issues is not taken from a partner', () => {
  const state = payment([
    paymentEvent('payment.paid', { ...STARS, paid: { asset: 'NDN', amount: '5' } }),
  ]);
  expect(state).toMatchObject({ target: [], review: 'reserved-asset' });
});

test('a whole refund reverses everything, grant and fee included', () => {
  const refund = refundEvent({ ...STARS, refunded: { asset: 'XTR', amount: '150' } });
  const state = payment([paymentEvent('payment.paid', STARS), refund]);
  expect(state).toMatchObject({ status: 'refunded', target: [], review: null });
});

test('partial refunds add up; the grant goes with the last of them', () => {
  const part = (refundId: string, amount: string) =>
    refundEvent({ ...SBP, refundId, refunded: rub(amount) });
  const paid = paymentEvent('payment.paid', SBP);
  const half = payment([paid, part('r1', '40')], ORDER);
  expect(table(half.target)).toEqual(['provider:sbp:raiffeisen 60 RUB', 'sales -60 RUB']);
  expect(half).toMatchObject({ status: 'partially_refunded', review: 'partial-refund' });
  expect(payment([paid, part('r1', '40'), part('r2', '60')], ORDER)).toMatchObject({
    status: 'refunded',
    target: [],
  });
});

test('paid is paid, even after expired and failed', () => {
  const late = (type: 'payment.expired' | 'payment.failed', hour: number) =>
    paymentEvent(type, { ...SBP, time: new Date(Date.UTC(2026, 9, 6, hour)) });
  const events = [
    late('payment.expired', 1),
    late('payment.failed', 2),
    paymentEvent('payment.paid', SBP),
  ];
  expect(payment(events, ORDER)).toMatchObject({ status: 'paid' });
  expect(payment(events.slice(0, 1), ORDER)).toMatchObject({ status: 'expired', target: [] });
});

const commission = (amount: string, asset = 'RUB') => ({ asset, amount });
const step = (
  status: 'waiting' | 'pending' | 'completed' | 'rejected',
  minute: number,
  amount = '100',
) =>
  affiliateEvent(status, {
    actionId: 'EPN-12345',
    commission: commission(amount),
    receivedAt: new Date(Date.UTC(2026, 9, 5, 12, minute)),
  });

test.each([
  [['waiting'], 'waiting', ['commission-held:epn -100 RUB', 'held:epn 100 RUB']],
  [['waiting', 'pending'], 'pending', ['commission-held:epn -100 RUB', 'held:epn 100 RUB']],
  [['waiting', 'completed'], 'completed', ['commission:epn -100 RUB', 'provider:epn 100 RUB']],
  [['completed', 'waiting'], 'completed', ['commission:epn -100 RUB', 'provider:epn 100 RUB']],
  [['completed', 'rejected'], 'rejected', []],
  [['rejected', 'completed'], 'completed', ['commission:epn -100 RUB', 'provider:epn 100 RUB']],
  [['rejected', 'waiting'], 'rejected', []],
  [['pending', 'waiting'], 'pending', ['commission-held:epn -100 RUB', 'held:epn 100 RUB']],
] as const)('EPN %j leaves the action %s', (statuses, status, expected) => {
  const events = statuses.map((name, minute) => step(name, minute));
  const state = foldAffiliate(stored(events));
  expect(state?.status).toBe(status);
  expect(table(state?.target)).toEqual(expected);
});

test('another amount of the same status is a revision', () => {
  const state = foldAffiliate(
    stored([step('completed', 0, '96.35'), step('completed', 1, '93.1')]),
  );
  expect(state?.revision).toBe(2);
  expect(table(state?.target)).toEqual(['commission:epn -93.1 RUB', 'provider:epn 93.1 RUB']);
});

test('cashback is the share of the commission, rounded down to a hundredth', () => {
  const inputs = { ...INPUTS, cashbackPercent: '33.3' };
  const state = foldAffiliate(stored([step('completed', 0, '93.1')], inputs));
  expect(table(state?.target)).toEqual([
    'cashback:epn -31 RUB',
    'commission:epn -93.1 RUB',
    'provider:epn 93.1 RUB',
    'user:123 31 RUB',
  ]);
});

test('a commission without an amount, or in NDN, books nothing and waits for a person', () => {
  const none = affiliateEvent('completed', { actionId: 'a' });
  expect(foldAffiliate(stored([none]))).toMatchObject({ target: [], review: 'amount-unknown' });
  const ndn = affiliateEvent('completed', { actionId: 'b', commission: commission('5', 'NDN') });
  expect(foldAffiliate(stored([ndn]))).toMatchObject({ target: [], review: 'reserved-asset' });
});
