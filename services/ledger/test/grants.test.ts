import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Grant, KopeckEvent } from '@kopeck/core/event';
import { orderEvent, paymentEvent, refundEvent } from '@kopeck/testing/build-event';
import { activeUntil } from '../src/subscription.ts';
import { openBooks, type Books } from './books.ts';

const at = (day: number): Date => new Date(Date.UTC(2026, 9, 1 + day));
const paidOn = (subject: string, day: number, days = 30) => ({ subject, days, paidAt: at(day) });

describe('a plan runs', () => {
  test('from its payment, and from its end when it is paid for before that', () => {
    expect(activeUntil([paidOn('a', 0)])).toEqual(at(30));
    expect(activeUntil([paidOn('a', 0), paidOn('b', 20)])).toEqual(at(60));
    expect(activeUntil([paidOn('a', 0), paidOn('b', 40)])).toEqual(at(70));
  });

  test('not at all when every payment for it was taken back', () => {
    expect(activeUntil([])).toBeNull();
    expect(activeUntil([paidOn('a', 0, 0)])).toBeNull();
    expect(activeUntil([paidOn('a', 0, 0), paidOn('b', 5)])).toEqual(at(35));
  });

  test('equally long, in whatever order its payments came to us', () => {
    const payment = fc.record({
      subject: fc.uuid(),
      days: fc.integer({ min: 0, max: 60 }),
      paidAt: fc.integer({ min: 0, max: 50 }).map(at),
    });
    const payments = fc.uniqueArray(payment, { maxLength: 6, selector: ({ subject }) => subject });
    fc.assert(
      fc.property(payments, fc.infiniteStream(fc.nat()), (all, dice) => {
        const shuffled = all.toSorted(() => Number(dice.next().value) - 2 ** 30);
        expect(activeUntil(shuffled)).toEqual(activeUntil(all));
      }),
    );
  });
});

describe('in the books', () => {
  let books: Books;
  beforeEach(async () => (books = await openBooks(inject('mariadbRootUrl'))));
  afterEach(() => books.close());

  const CREDIT: Grant = { kind: 'credit', user: '5123', asset: 'NDN', amount: '1000' };
  const PRO: Grant = { kind: 'subscription', user: '5123', plan: 'pro-30', days: 30 };
  const price = { asset: 'XTR', amount: '100' };
  const order = orderEvent('crypto', { orderId: 'kp_1', price, grants: [CREDIT, PRO] });
  const facts = { source: 'telegram', paymentId: 'stx', reference: 'kp_1', payer: '5123' } as const;
  const paid = paymentEvent('payment.paid', { ...facts, paid: price, time: at(0) });
  const renewed = paymentEvent('payment.paid', {
    ...facts,
    paymentId: 'sty',
    paid: price,
    time: at(20),
  });
  const refunded = refundEvent({ ...facts, refunded: price, time: at(25) });

  async function plans(): Promise<readonly unknown[]> {
    const rows = await books.query('SELECT user, plan, active_until FROM subscriptions');
    return rows.map((row) => [row['user'], row['plan'], row['active_until']]);
  }

  /** 'kind subject #sequence what', in the order in which the courier brings them. */
  async function outbox(): Promise<readonly string[]> {
    const rows = await books.query('SELECT kind, subject, payload FROM outbox ORDER BY id');
    return rows.map((row) => {
      const payload = JSON.parse(String(row['payload'])) as Record<string, unknown>;
      const what = payload['type'] ?? payload['template'] ?? payload['reason'];
      return `${row['kind']} ${String(row['subject']).split(':')[0]} #${payload['sequence']} ${String(what)}`;
    });
  }

  test('a payment, its renewal and a refund are told once each, in order and numbered', async () => {
    await books.book(order, paid);
    expect(await plans()).toEqual([['5123', 'pro-30', at(30)]]);
    await books.book(renewed, paid);
    expect(await plans()).toEqual([['5123', 'pro-30', at(60)]]);
    await books.book(refunded, refunded);
    expect(await plans()).toEqual([['5123', 'pro-30', at(50)]]);
    expect(await outbox()).toEqual([
      'webhook payment #1 payment.paid',
      'telegram user #1 credited',
      'webhook subscription #1 subscription.updated',
      'telegram user #2 subscribed',
      'webhook payment #1 payment.paid',
      'telegram user #3 credited',
      'webhook subscription #2 subscription.updated',
      'telegram user #4 subscribed',
      'webhook payment #2 payment.refunded',
      'telegram user #5 refunded',
      'webhook subscription #3 subscription.updated',
    ]);
    const [first] = await books.query("SELECT payload FROM outbox WHERE kind = 'webhook' LIMIT 1");
    expect(JSON.parse(String(first?.['payload']))).toMatchObject({
      id: expect.stringMatching(/^msg_[0-9a-f]{40}$/) as string,
      data: { orderId: 'kp_1', paid: price, payer: '5123', grants: [CREDIT, PRO] },
    });
  });

  test('a payment that comes before its order is told when the order has explained it', async () => {
    await books.book(paid);
    expect(await outbox()).toEqual(['alert payment #undefined suspense']);
    expect(await plans()).toEqual([]);
    await books.book(order);
    expect(await plans()).toEqual([['5123', 'pro-30', at(30)]]);
    expect((await outbox()).slice(1, 3)).toEqual([
      'webhook payment #1 payment.paid',
      'telegram user #1 credited',
    ]);
    expect(await books.balances()).toContain('user:5123 1000 NDN');
  });

  test('money of a test network gives nobody anything', async () => {
    await books.book(
      orderEvent('crypto', { orderId: 'kp_1', price, grants: [CREDIT, PRO], network: 'test' }),
      paymentEvent('payment.paid', { ...facts, paid: price, network: 'test' }),
    );
    expect(await plans()).toEqual([]);
    expect(await outbox()).toEqual(['webhook payment #1 payment.paid']);
  });

  test('any order of booking gives the same plans and balances', async () => {
    const events = [order, paid, renewed, refunded];
    const seen = new Set<string>();
    for (const history of permutations(events)) {
      await books.close();
      books = await openBooks(inject('mariadbRootUrl'));
      for (const event of history) await books.book(event);
      seen.add(JSON.stringify([await plans(), await books.balances()]));
    }
    expect([...seen]).toHaveLength(1);
  });
});

/** Six of the 24: each event comes first and last, and the refund before its payment. */
function permutations(events: readonly KopeckEvent[]): readonly (readonly KopeckEvent[])[] {
  const turned = events.map((_event, by) => [...events.slice(by), ...events.slice(0, by)]);
  return [
    ...turned,
    events.toReversed(),
    [3, 0, 1, 2].flatMap((from) => events.slice(from, from + 1)),
  ];
}
