import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import {
  affiliateEvent,
  orderEvent,
  paymentEvent,
  refundEvent,
  type PaymentFacts,
} from '@kopeck/testing/build-event';
import { audit } from '../src/audit/audit.ts';
import { openBooks, type Books } from './books.ts';

let books: Books;
const opened: Books[] = [];

beforeEach(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
  opened.push(books);
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
});

const rub = (amount: string) => ({ asset: 'RUB', amount });
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
const order = orderEvent('sbp', { orderId: 'order-1' });
const paid = paymentEvent('payment.paid', SBP);

const SOLD = ['provider:sbp:raiffeisen 100 RUB', 'sales -100 RUB'];

test('an event is booked once, however often and wherever it comes again', async () => {
  expect(await books.outcomes(order, paid, paid)).toEqual(['noted', 'booked', 'duplicate']);
  expect(await books.outcomes(paid, order)).toEqual(['duplicate', 'duplicate']);
  expect(await books.balances()).toEqual(SOLD);
});

test('two workers that book the same events at once book each of them once', async () => {
  const events = Array.from({ length: 40 }, (_, index) =>
    paymentEvent('payment.paid', { ...STARS, paymentId: `stx${index}` }),
  );
  const verdicts = await Promise.all(
    [1, 2, 3, 4].flatMap(() => [
      books.book(...events.slice(0, 25)),
      books.book(...events.slice(15).toReversed()),
    ]),
  );
  expect(verdicts.flat().filter(({ kind }) => kind === 'new')).toHaveLength(40);
  expect(await books.balances()).toContain('user:5123456789 60000 NDN');
});

test('a payment that comes before its order settles itself when the order arrives', async () => {
  expect(await books.outcomes(paid)).toEqual(['review']);
  expect(await books.balances()).toEqual(['provider:sbp:raiffeisen 100 RUB', 'suspense -100 RUB']);
  expect(await books.query("SELECT * FROM reviews WHERE state = 'open'")).toHaveLength(1);

  expect(await books.outcomes(order)).toEqual(['booked']);
  expect(await books.balances()).toEqual(SOLD);
  expect(await books.query("SELECT * FROM reviews WHERE state = 'open'")).toHaveLength(0);
});

test('an order and its payment in one batch, in either order, end in the same books', async () => {
  await books.book(paid, order);
  expect(await books.balances()).toEqual(SOLD);
});

test('an order and its payment that are booked at the same time by two workers find each other', async () => {
  const pairs = Array.from({ length: 20 }, (_, index) => ({
    order: orderEvent('sbp', { orderId: `order-${index}` }),
    paid: paymentEvent('payment.paid', {
      ...SBP,
      paymentId: `AD${index}`,
      reference: `order-${index}`,
    }),
  }));
  for (const pair of pairs) await Promise.all([books.book(pair.order), books.book(pair.paid)]);
  expect(await books.balances()).toEqual(['provider:sbp:raiffeisen 2000 RUB', 'sales -2000 RUB']);
});

test('the same id with other content is kept and alerted, and never booked over the first', async () => {
  const other = paymentEvent('payment.paid', { ...SBP, paid: rub('100000') });
  expect(await books.outcomes(order, paid, other, other)).toEqual([
    'noted',
    'booked',
    'conflict',
    'duplicate',
  ]);
  expect(await books.outcomes(other)).toEqual(['duplicate']);
  expect(await books.balances()).toEqual(SOLD);
  expect(await books.query('SELECT * FROM conflicts')).toHaveLength(1);
  expect(await books.query("SELECT * FROM outbox WHERE kind = 'alert'")).toMatchObject([
    { event_id: paid.id, payload: '{"reason":"conflict","source":"sbp"}' },
  ]);
});

test('an event without an amount is completed once by its like that has one', async () => {
  const minimal = paymentEvent('payment.paid', { ...STARS, paid: null, reference: null });
  const whole = paymentEvent('payment.paid', STARS);
  expect(whole.id).toBe(minimal.id);
  expect(await books.outcomes(minimal)).toEqual(['review']);
  expect(await books.balances()).toEqual([]);
  expect(await books.outcomes(whole, whole, minimal)).toEqual(['booked', 'duplicate', 'duplicate']);
  expect(await books.balances()).toContain('user:5123456789 1500 NDN');
  const other = paymentEvent('payment.paid', { ...STARS, paid: { asset: 'XTR', amount: '300' } });
  expect(await books.outcomes(other)).toEqual(['conflict']);
});

test('a body without an amount that comes after the whole one says nothing new', async () => {
  const minimal = paymentEvent('payment.paid', { ...STARS, paid: null, reference: null });
  expect(await books.outcomes(paymentEvent('payment.paid', STARS), minimal)).toEqual([
    'booked',
    'duplicate',
  ]);
});

test('a refund reverses what was booked, also after the rate has changed', async () => {
  await books.book(paymentEvent('payment.paid', STARS));
  const refund = refundEvent({ ...STARS, refunded: { asset: 'XTR', amount: '150' } });
  const later = await openBooks(inject('mariadbRootUrl'), { NDN_PER_STAR: '20' });
  opened.push(later);
  expect(await books.outcomes(refund)).toEqual(['booked']);
  expect(await books.balances()).toEqual([]);

  // The refund may also be the first to come.
  await later.book(refund, paymentEvent('payment.paid', STARS));
  expect(await later.balances()).toEqual([]);
});

test('EPN statuses hold, post and release the commission', async () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 9, 5, 12, minute));
  const facts = { actionId: 'EPN-12345', commission: rub('100') };
  await books.book(affiliateEvent('waiting', { ...facts, receivedAt: at(0) }));
  expect(await books.balances()).toEqual(['commission-held:epn -100 RUB', 'held:epn 100 RUB']);
  await books.book(affiliateEvent('completed', { ...facts, receivedAt: at(1) }));
  expect(await books.balances()).toEqual(['commission:epn -100 RUB', 'provider:epn 100 RUB']);
  await books.book(affiliateEvent('rejected', { ...facts, receivedAt: at(2) }));
  expect(await books.balances()).toEqual([]);

  // A repeat of a status that is past: a late retry or a second approval, nobody can tell.
  expect(
    await books.outcomes(affiliateEvent('completed', { ...facts, receivedAt: at(3) })),
  ).toEqual(['duplicate']);
  expect(await books.balances()).toEqual([]);
  expect(await books.query('SELECT reason FROM reviews')).toMatchObject([
    { reason: 'repeat-of-past-status' },
  ]);
});

test('an event that the books cannot take is quarantined and costs its neighbours nothing', async () => {
  const poison = {
    ...paymentEvent('payment.paid', { ...STARS, paymentId: 'p' }),
    subject: 'x'.repeat(400),
  } as KopeckEvent;
  const neighbours = ['a', 'b', 'c'].map((paymentId) =>
    paymentEvent('payment.paid', { ...STARS, paymentId }),
  );
  const verdicts = await books.outcomes(...neighbours.slice(0, 2), poison, ...neighbours.slice(2));
  expect(verdicts).toEqual(['booked', 'booked', 'quarantined', 'booked']);
  expect(await books.query("SELECT event_id FROM outbox WHERE kind = 'alert'")).toHaveLength(1);
  // Its business identity is still free for the genuine one.
  expect(await books.outcomes(paymentEvent('payment.paid', { ...STARS, paymentId: 'p' }))).toEqual([
    'booked',
  ]);
});

test('accounts differ in case, accents and trailing spaces', async () => {
  const forUser = (user: string) =>
    affiliateEvent('completed', { actionId: user, clickId: user, commission: rub('100') });
  const withCashback = await openBooks(inject('mariadbRootUrl'), { EPN_CASHBACK_PERCENT: '10' });
  opened.push(withCashback);
  await withCashback.book(...['e1', 'E1', 'é1', 'e1 '].map(forUser));
  const users = (await withCashback.balances()).filter((line) => line.startsWith('user:'));
  expect(users).toHaveLength(4);
});

test('entries and postings cannot be changed or deleted', async () => {
  await books.book(order, paid);
  for (const sql of [
    'UPDATE postings SET amount = 1',
    'DELETE FROM postings',
    'UPDATE entries SET event_id = 1',
    'DELETE FROM entries',
  ]) {
    await expect(books.query(sql)).rejects.toThrow(/are never/);
  }
});

test('the chain covers every row without a gap, and balances are the sums of postings', async () => {
  await books.book(order, paid);
  await books.book(
    paymentEvent('payment.paid', STARS),
    affiliateEvent('waiting', { actionId: 'a', commission: rub('1') }),
  );
  const { head, problem } = await audit(books.pool);
  expect(problem).toBeNull();
  expect(await books.query('SELECT hash FROM chain_head')).toMatchObject([{ hash: head.hash }]);
  expect(head.seq).toBe(4n);
});
