import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import { orderEvent, paymentEvent, refundEvent } from '@kopeck/testing/build-event';
import { audit } from '../src/audit/audit.ts';
import { rebuild } from '../src/rebuild.ts';
import { reviewEvent, type ReviewEnd } from '../src/review.ts';
import { openBooks, type Books } from './books.ts';

const AT = new Date('2026-10-06T09:00:00.000Z');
const opened: Books[] = [];
let books: Books;

async function openFresh(): Promise<Books> {
  const fresh = await openBooks(inject('mariadbRootUrl'));
  opened.push(fresh);
  return fresh;
}
beforeEach(async () => {
  books = await openFresh();
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
});

const SBP = {
  source: 'sbp',
  paymentId: 'AD1',
  reference: 'order-1',
  paid: { asset: 'RUB', amount: '100' },
} as const;
const paid = paymentEvent('payment.paid', SBP);
const order = orderEvent('sbp', { orderId: 'order-1' });

async function decide(end: ReviewEnd): Promise<readonly string[]> {
  const [row] = await books.query("SELECT * FROM reviews WHERE state = 'open' ORDER BY id");
  const { event_id: eventId, subject, reason } = row as Record<string, string>;
  const why = 'the shop says so';
  const facts = { eventId, subject, reason, network: 'main', by: 'anna', why } as never;
  return books.outcomes(reviewEvent(end, facts, AT));
}

const rows = () => books.query('SELECT reason, state, decision_id FROM reviews ORDER BY id');

test('what is settled moves from suspense to sales as an entry of its own, with who and why', async () => {
  await books.book(paid);
  expect(await decide('settled')).toEqual(['booked']);
  expect(await books.balances()).toEqual(['provider:sbp:raiffeisen 100 RUB', 'sales -100 RUB']);
  const [decision] = await books.query("SELECT * FROM inbox WHERE type = 'review.settled'");
  expect(JSON.parse(String(decision?.['data']))).toMatchObject({
    by: 'anna',
    why: 'the shop says so',
  });
  expect(await rows()).toEqual([
    { reason: 'order-unknown', state: 'settled', decision_id: decision?.['event_id'] },
  ]);
  // A refund gives back what was sold.
  await books.book(refundEvent({ ...SBP, refundId: 'r', refunded: SBP.paid }));
  expect(await books.balances()).toEqual([]);
});

test('what is dismissed stays where it is, and is settled by its order when that comes', async () => {
  await books.book(paid);
  expect(await decide('dismissed')).toEqual(['noted']);
  expect(await books.balances()).toContain('suspense -100 RUB');
  expect(await rows()).toMatchObject([{ state: 'dismissed' }]);
  await books.book(order);
  expect(await books.balances()).toContain('sales -100 RUB');
});

test('a conflict is for a person alone: its payment being explained does not close it', async () => {
  const other = paymentEvent('payment.paid', { ...SBP, paid: { asset: 'RUB', amount: '7' } });
  await books.book(paid, other, order);
  expect(await rows()).toMatchObject([
    { reason: 'order-unknown', state: 'settled' },
    { reason: 'conflict', state: 'open' },
  ]);
  expect(await decide('settled')).toEqual(['noted']);
  expect(await rows()).toMatchObject([{ state: 'settled' }, { state: 'settled' }]);
  expect(await books.balances()).toContain('sales -100 RUB');
});

test('decisions are audited and rebuilt like every other event, one by one or in one batch', async () => {
  await books.book(paid);
  await decide('settled');
  const other = await openFresh();
  expect(await rebuild(books.pool, other.pool)).toEqual((await audit(books.pool)).head);
  expect((await audit(other.pool)).problem).toBeNull();

  const events = await books.query('SELECT event_id FROM inbox ORDER BY seq');
  expect(events).toHaveLength(2);
  const batch = await openFresh();
  const {
    event_id: eventId,
    subject,
    reason,
  } = (await books.query('SELECT * FROM reviews'))[0] as never;
  const decision = { eventId, subject, reason, network: 'main', by: 'anna', why: 'so' } as never;
  await batch.book(paid, reviewEvent('settled', decision, AT));
  expect(await batch.balances()).toEqual(await books.balances());
  expect(await batch.query('SELECT state FROM reviews')).toEqual([{ state: 'settled' }]);
});

test('a payment that its late order contradicts has a row of its own for that, which a person settles', async () => {
  const other = paymentEvent('payment.paid', { ...SBP, paymentId: 'AD2' });
  await books.book(paid, other);
  await books.book(
    orderEvent('sbp', { orderId: 'order-1', price: { asset: 'RUB', amount: '90' } }),
  );
  const open = await books.query(
    "SELECT event_id, subject, reason FROM reviews WHERE state = 'open' ORDER BY id",
  );
  expect(open).toEqual(
    [paid, other].map(({ id, subject }) => ({ event_id: id, subject, reason: 'amount-differs' })),
  );
  expect(await decide('settled')).toEqual(['booked']);
  expect(await books.balances()).toEqual([
    'provider:sbp:raiffeisen 200 RUB',
    'sales -100 RUB',
    'suspense -100 RUB',
  ]);
});
