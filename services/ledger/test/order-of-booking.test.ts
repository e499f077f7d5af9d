import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { formatAmount } from '@kopeck/core/money';
import {
  affiliateEvent,
  orderEvent,
  paymentEvent,
  refundEvent,
  type PaymentFacts,
} from '@kopeck/testing/build-event';
import { decide } from '../src/decide.ts';
import { inputsFor } from '../src/inputs.ts';
import { emptyKnowledge } from '../src/knowledge.ts';
import { sum, unbalanced } from '../src/posting.ts';
import { RATES } from './books.ts';

/** Books in memory, through the very decisions that the database gets. */
function balancesAfter(events: readonly KopeckEvent[]): readonly string[] {
  const knowledge = emptyKnowledge();
  const verdicts = events.map((event) => decide(event, inputsFor(RATES, event), knowledge));
  const postings = verdicts.flatMap((verdict) => (verdict.kind === 'new' ? verdict.postings : []));
  expect(unbalanced(postings)).toEqual([]);
  return sum(postings.map((posting) => ({ ...posting, subject: '' }))).map(
    ({ account, asset, amount }) => `${account} ${formatAmount(amount)} ${asset}`,
  );
}

const minute = fc.integer({ min: 0, max: 59 }).map((at) => new Date(Date.UTC(2026, 9, 5, 12, at)));
const rub = (amount: string) => ({ asset: 'RUB', amount });

const CREDIT = { kind: 'credit', user: '5123', asset: 'NDN', amount: '1000' } as const;
const orders: readonly KopeckEvent[] = [
  orderEvent('sbp', { orderId: 'order-1' }),
  orderEvent('crypto', {
    orderId: 'kp_1',
    price: { asset: 'XTR', amount: '100' },
    grants: [CREDIT],
  }),
];

const payments: readonly PaymentFacts[] = [
  { source: 'sbp', paymentId: 'AD1', reference: 'order-1', paid: rub('100') },
  { source: 'sbp', paymentId: 'AD2', reference: 'order-1', paid: rub('90') },
  { source: 'telegram', paymentId: 's1', reference: 'kp_1', paid: { asset: 'XTR', amount: '100' } },
  {
    source: 'telegram',
    paymentId: 's2',
    reference: '{"telegram_id":7,"amount_ndn":1500}',
    paid: { asset: 'XTR', amount: '150' },
  },
];

const paymentStep = fc
  .tuple(
    fc.constantFrom(...payments),
    fc.constantFrom('paid', 'failed', 'expired', 'refunded', 'part'),
    minute,
  )
  .map(([facts, what, time]) => {
    if (what === 'refunded')
      return refundEvent({ ...facts, time, refundId: 'whole', refunded: facts.paid ?? null });
    if (what === 'part') {
      return refundEvent({
        ...facts,
        time,
        refundId: 'part',
        refunded: { ...(facts.paid ?? rub('1')), amount: '7' },
      });
    }
    return paymentEvent(`payment.${what}` as 'payment.paid', { ...facts, time });
  });

const affiliateStep = fc
  .tuple(
    fc.constantFrom('waiting', 'pending', 'completed', 'rejected'),
    fc.constantFrom('96.35', '93.1'),
    minute,
  )
  .map(([status, amount, receivedAt]) =>
    affiliateEvent(status, { actionId: 'a', commission: rub(amount), receivedAt }),
  );

/** No two with one id: which of two contents comes first is decided by arrival, and only there. */
const history = fc
  .tuple(
    fc.array(fc.oneof(paymentStep, affiliateStep), { maxLength: 12 }),
    fc.subarray([...orders]),
  )
  .map(([steps, some]) => [
    ...new Map([...steps, ...some].map((event) => [event.id, event])).values(),
  ]);

test('any order of booking ends in the same books', () => {
  fc.assert(
    fc.property(history, fc.infiniteStream(fc.nat()), (events, dice) => {
      const shuffled = events
        .map((event) => ({ event, place: dice.next().value as number }))
        .sort((a, b) => a.place - b.place)
        .map(({ event }) => event);
      expect(balancesAfter(shuffled)).toEqual(balancesAfter(events));
    }),
    { numRuns: 500 },
  );
});

test('repeats in between change nothing', () => {
  fc.assert(
    fc.property(history, fc.nat(), (events, at) => {
      const repeated = [...events, ...events.slice(0, at % (events.length + 1)), ...events];
      expect(balancesAfter(repeated)).toEqual(balancesAfter(events));
    }),
    { numRuns: 200 },
  );
});
