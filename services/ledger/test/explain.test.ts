import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { orderEvent, paymentEvent, refundEvent } from '@kopeck/testing/build-event';
import { explainEvent, findEvents } from '../src/explain.ts';
import { openBooks, type Books } from './books.ts';

const SBP = {
  source: 'sbp',
  paymentId: 'AD1',
  reference: 'order-1',
  paid: { asset: 'RUB', amount: '100' },
} as const;
const order = orderEvent('sbp', { orderId: 'order-1' });
const paid = paymentEvent('payment.paid', SBP);
const CHARGE = 'stxRfNcOE4RQwGvGZ2JmbcWkOaS_x7Z0aBcD';
const stars = paymentEvent('payment.paid', {
  source: 'telegram',
  paymentId: CHARGE,
  paid: { asset: 'XTR', amount: '150' },
  reference: '{"telegram_id":5123,"amount_ndn":1500}',
});
const starsBack = refundEvent({
  source: 'telegram',
  paymentId: CHARGE,
  refunded: { asset: 'XTR', amount: '150' },
});
const INVOICE = '528890';
const invoice = paymentEvent('payment.paid', {
  source: 'cryptobot',
  paymentId: INVOICE,
  paid: { asset: 'TON', amount: '2.5' },
});

let books: Books;
beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
  await books.book(paid);
  await books.book(order);
  await books.book(paymentEvent('payment.paid', { ...SBP, paid: { asset: 'RUB', amount: '7' } }));
  await books.book(paid, paid);
  await books.book(paid);
  await books.book(stars, starsBack, invoice);
});
afterAll(() => books.close());

test('an event is explained in one answer, from its bytes to who was told', async () => {
  const [row] = await books.query('SELECT hash FROM inbox WHERE seq = 1');
  expect(await explainEvent(books.pool, paid.id)).toMatchObject({
    id: paid.id,
    outcome: 'review',
    reason: 'order-unknown',
    chain: { seq: '1', previous: '0'.repeat(64), hash: row?.['hash'] },
    entry: { postings: [{ account: 'provider:sbp:raiffeisen' }, { account: 'suspense' }] },
    evidence: { raw: { body: 'e30=' }, body: '{}' },
    repeats: { times: 3, firstAt: expect.any(String) as string },
    conflicts: [{ event: { data: { paid: { amount: '7' } } } }],
    reviews: [
      { reason: 'order-unknown', state: 'settled' },
      { reason: 'conflict', state: 'open' },
    ],
    deliveries: expect.arrayContaining([expect.objectContaining({ kind: 'alert', doneAt: null })]),
  });
  expect(await explainEvent(books.pool, order.id)).toMatchObject({ chain: { seq: '2' } });
  expect(await explainEvent(books.pool, 'sbp.payment.paid.none')).toBeNull();
});

test('evidence that somebody has spoiled keeps nothing else from being told', async () => {
  const [kept] = await books.query('SELECT body FROM evidence');
  await books.query("UPDATE evidence SET body = 'spoiled'");
  expect(await explainEvent(books.pool, paid.id)).toMatchObject({
    outcome: 'review',
    evidence: { raw: null, unreadable: true },
  });
  await books.pool.query('UPDATE evidence SET body = ?', [kept?.['body']]);
});

test('events are found by what shops and partners call them', async () => {
  expect(await findEvents(books.pool, 'order-1')).toEqual([paid.id, order.id]);
  expect(await findEvents(books.pool, 'AD1')).toEqual([paid.id]);
  // A charge of Telegram, with what was given back of it, and an invoice of CryptoBot.
  expect(await findEvents(books.pool, CHARGE)).toEqual([stars.id, starsBack.id]);
  expect(await findEvents(books.pool, INVOICE)).toEqual([invoice.id]);
  expect(await findEvents(books.pool, CHARGE.toLowerCase())).toEqual([]);
  expect(await findEvents(books.pool, paid.id)).toEqual([paid.id]);
  expect(await findEvents(books.pool, 'nobody')).toEqual([]);
  expect(await findEvents(books.pool, paid.subject)).toContain(paid.id);
});

test('no look-up reads a table from end to end', async () => {
  const [plan] = await books.pool.query(
    "EXPLAIN SELECT subject FROM payments WHERE payment_id = 'x'",
  );
  expect(plan).toMatchObject([{ key: 'payments_id' }]);
});
