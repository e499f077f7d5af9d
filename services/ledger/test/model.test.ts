import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import {
  affiliateEvent,
  orderEvent,
  paymentEvent,
  refundEvent,
  type PaymentFacts,
} from '@kopeck/testing/build-event';
import { makeEvent } from '@kopeck/core/make-event';
import { audit } from '../src/audit/audit.ts';
import { quarantineOf } from '../src/quarantine.ts';
import { rebuild } from '../src/rebuild.ts';
import { reviewEvent } from '../src/review.ts';
import { openBooks, type Books } from './books.ts';
import { modelBalances } from './model.ts';

const CASHBACK = 10;
let books: Books;
let again: Books;
beforeAll(async () => {
  const rates = { EPN_CASHBACK_PERCENT: String(CASHBACK) };
  books = await openBooks(inject('mariadbRootUrl'), rates);
  again = await openBooks(inject('mariadbRootUrl'));
});
afterAll(() => Promise.all([books.close(), again.close()]));

const money = (asset: string, amount: string) => ({ asset, amount });
const CREDIT = { kind: 'credit', user: '51', asset: 'NDN', amount: '1000' } as const;

function factsOf(run: string): readonly PaymentFacts[] {
  const stars = { source: 'telegram', paid: money('XTR', '100') } as const;
  const bot = {
    source: 'cryptobot',
    paid: money('TON', '20.5'),
    fee: money('TON', '0.5'),
  } as const;
  return [
    { source: 'sbp', paymentId: `${run}a`, reference: `${run}order`, paid: money('RUB', '99.9') },
    { source: 'sbp', paymentId: `${run}b`, reference: `${run}order`, paid: money('RUB', '90') },
    { source: 'sbp', paymentId: `${run}c`, reference: `${run}none`, paid: null },
    { ...stars, paymentId: `${run}d`, reference: `kp_${run}` },
    { ...stars, paymentId: `${run}e`, reference: '{"telegram_id":77,"amount_ndn":1000}' },
    { ...stars, paymentId: `${run}f`, reference: '{"telegram_id":77,"amount_ndn":5000}' },
    { ...bot, paymentId: `${run}g`, swap: money('USDT', '60') },
    { ...bot, paymentId: `${run}h`, network: 'test' },
    // The same payment with other amounts: the first counts.
    { ...bot, paymentId: `${run}g`, paid: money('TON', '21') },
    { ...stars, paymentId: `${run}d`, reference: `kp_${run}`, paid: money('XTR', '99') },
  ];
}

/** What moves no money: a refreshed config, a change of a subscription, a body that made no sense. */
function noiseOf(run: string): readonly KopeckEvent[] {
  const common = {
    identity: [run],
    time: null,
    receivedAt: new Date(Date.UTC(2026, 9, 5, 12)),
    network: 'main',
    money: null,
    reference: null,
    evidence: '',
  } as const;
  return [
    makeEvent({
      ...common,
      source: 'admin',
      type: 'config.refreshed',
      subject: `purchase:${run}`,
      data: { purchaseId: run, operationId: run, result: 'updated', links: 1 },
    }),
    makeEvent({
      ...common,
      source: 'telegram',
      type: 'subscription.changed',
      subject: `subscription:telegram:${run}`,
      data: { app: '7000000001', user: '51', reference: run, state: 'canceled' },
    }),
    quarantineOf(orderEvent('sbp', { orderId: run }), 'unbookable', common.receivedAt),
  ];
}

const STATUSES = ['waiting', 'pending', 'completed', 'rejected'] as const;
const minute = fc.integer({ min: 0, max: 59 }).map((at) => new Date(Date.UTC(2026, 9, 5, 12, at)));

/** One of everything that a partner, a shop or a person may do. */
function step(run: string): fc.Arbitrary<KopeckEvent> {
  const facts = fc.constantFrom(...factsOf(run));
  const paid = fc
    .tuple(facts, minute)
    .map(([each, time]) => paymentEvent('payment.paid', { ...each, time }));
  const blank = facts.map((each) => paymentEvent('payment.paid', { ...each, paid: null }));
  const other = fc
    .tuple(facts, fc.constantFrom('payment.failed', 'payment.expired'), minute)
    .map(([each, type, time]) => paymentEvent(type, { ...each, time }));
  const refund = fc
    .tuple(facts, fc.constantFrom('3', '7', 'all'), minute)
    .map(([each, id, time]) => {
      const { asset, amount } = each.paid ?? money('RUB', '1');
      const refunded = { asset, amount: id === 'all' ? amount : id };
      return refundEvent({ ...each, time, refundId: id, refunded });
    });
  const action = fc
    .tuple(fc.constantFrom(...STATUSES), fc.constantFrom('96.35', '93.1'), minute)
    .map(([status, amount, receivedAt]) =>
      affiliateEvent(status, { actionId: run, commission: money('RUB', amount), receivedAt }),
    );
  const price = fc.constantFrom('99.9', '90').map((amount) => money('RUB', amount));
  const order = price.map((each) => orderEvent('sbp', { orderId: `${run}order`, price: each }));
  const minted = fc.constant(
    orderEvent('crypto', { orderId: `kp_${run}`, price: money('XTR', '100'), grants: [CREDIT] }),
  );
  const decision = fc
    .tuple(
      facts,
      fc.constantFrom('order-unknown', 'amount-differs', 'payload-amount-off-rate'),
      minute,
    )
    .map(([each, reason, now]) => {
      const { id: eventId, subject, network } = paymentEvent('payment.paid', each);
      const row = { eventId, subject, network, reason, by: 'anna', why: 'so' };
      return reviewEvent('settled', row, now);
    });
  const noise = fc.constantFrom(...noiseOf(run));
  return fc.oneof(
    { weight: 1, arbitrary: noise },
    { weight: 6, arbitrary: paid },
    { weight: 3, arbitrary: refund },
    { weight: 3, arbitrary: action },
    { weight: 2, arbitrary: fc.oneof(order, minted) },
    { weight: 2, arbitrary: fc.oneof(blank, other, decision) },
  );
}

test('random histories of all sources end in the books of the model, in any batches', async () => {
  const all: KopeckEvent[] = [];
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), async (dice) => {
      runs += 1;
      const seed = dice.next().value as number;
      const steps = fc.array(step(`r${runs}`), { minLength: 10, maxLength: 40 });
      const history = fc.sample(steps, { seed, numRuns: 1 })[0] ?? [];
      for (let at = 0; at < history.length;) {
        const size = 1 + ((dice.next().value as number) % 12);
        await books.book(...history.slice(at, at + size));
        at += size;
      }
      all.push(...history);
      expect([...(await books.balances())].toSorted()).toEqual(modelBalances(all, CASHBACK));
    }),
    { numRuns: 25, endOnFailure: true },
  );
  expect((await audit(books.pool)).problem).toBeNull();
  expect(await rebuild(books.pool, again.pool)).toEqual((await audit(books.pool)).head);
});
