import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Grant, KopeckEvent } from '@kopeck/core/event';
import { makeEvent } from '@kopeck/core/make-event';
import { orderEvent, paymentEvent, refundEvent } from '@kopeck/testing/build-event';
import { activeUntil } from '../src/subscription.ts';
import { openBooks, type Books } from './books.ts';

const day = (number: number): Date => new Date(Date.UTC(2026, 9, 1 + number));
const paidOn = (subject: string, on: number, days = 30) => ({ subject, days, paidAt: day(on) });

describe('a plan runs', () => {
  test('from its payment, and from its end when it is paid for before that', () => {
    expect(activeUntil([paidOn('a', 0)])).toEqual(day(30));
    expect(activeUntil([paidOn('a', 0), paidOn('b', 20)])).toEqual(day(60));
    expect(activeUntil([paidOn('a', 0), paidOn('b', 40)])).toEqual(day(70));
  });

  test('not at all when every payment for it was taken back', () => {
    expect(activeUntil([])).toBeNull();
    expect(activeUntil([paidOn('a', 0, 0)])).toBeNull();
    expect(activeUntil([paidOn('a', 0, 0), paidOn('b', 5)])).toEqual(day(35));
  });

  test('equally long, in whatever order its payments came to us', () => {
    const payment = fc.record({
      subject: fc.uuid(),
      days: fc.integer({ min: 0, max: 60 }),
      paidAt: fc.integer({ min: 0, max: 50 }).map(day),
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
  const paid = paymentEvent('payment.paid', { ...facts, paid: price, time: day(0) });
  const renewed = paymentEvent('payment.paid', {
    ...facts,
    paymentId: 'sty',
    paid: price,
    time: day(20),
  });
  const refunded = refundEvent({ ...facts, refunded: price, time: day(25) });

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
      return `${row['kind']} ${String(row['subject']).split(':')[0]} #${String(payload['sequence'])} ${String(what)}`;
    });
  }

  test('a payment, its renewal and a refund are told once each, in order and numbered', async () => {
    await books.book(order, paid);
    expect(await plans()).toEqual([['5123', 'pro-30', day(30)]]);
    await books.book(renewed, paid);
    expect(await plans()).toEqual([['5123', 'pro-30', day(60)]]);
    await books.book(refunded, refunded);
    expect(await plans()).toEqual([['5123', 'pro-30', day(50)]]);
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

  test('who pays and gets a plan is told of it in the language of the payment, and nobody else is', async () => {
    const inEnglish = { ...paid, data: { ...paid.data, language: 'en' } } as KopeckEvent;
    const gift: Grant = { kind: 'subscription', user: '777', plan: 'pro-30', days: 30 };
    await books.book(
      orderEvent('crypto', { orderId: 'kp_1', price, grants: [CREDIT, PRO, gift] }),
      inEnglish,
    );
    const rows = await books.query(
      "SELECT payload FROM outbox WHERE kind = 'telegram' ORDER BY id",
    );
    const told = rows.map((row) => JSON.parse(String(row['payload'])) as Record<string, unknown>);
    expect(told.map(({ chat, template, language }) => [chat, template, language])).toEqual([
      ['5123', 'credited', 'en'],
      ['5123', 'subscribed', 'en'],
      ['777', 'subscribed', null],
    ]);
  });

  test("a subscription that Telegram ended and paid media are the operator's bot's to know, once each", async () => {
    const told = { app: '7000000001', user: '5123', reference: 'kp_1' };
    const draft = { source: 'telegram', network: 'main', time: null, receivedAt: day(1) } as const;
    const rest = { ...draft, money: null, reference: 'kp_1', evidence: '' } as const;
    const failed = makeEvent({
      ...rest,
      type: 'subscription.changed',
      identity: ['7000000001', '1'],
      subject: 'subscription:telegram:7000000001:5123:x',
      data: { ...told, state: 'failed' },
    });
    const media = makeEvent({
      ...rest,
      type: 'media.purchased',
      identity: ['7000000001', '2'],
      subject: 'media:telegram:7000000001:2',
      data: { ...told, reference: 'pm:7' },
    });
    await books.book(failed, media);
    await books.book(failed, media);
    expect(await outbox()).toEqual([
      'webhook subscription #1 subscription.changed',
      'webhook media #1 media.purchased',
    ]);
    const rows = await books.query('SELECT payload FROM outbox ORDER BY id');
    const common = { source: 'telegram', network: 'main', receivedAt: day(1).toISOString() };
    expect(rows.map((row) => JSON.parse(String(row['payload'])) as unknown)).toMatchObject([
      { data: { ...told, ...common, state: 'failed', orderId: 'kp_1' } },
      { data: { ...told, ...common, reference: 'pm:7', orderId: null } },
    ]);
  });

  test('a payment that comes before its order is told when the order has explained it', async () => {
    await books.book(paid);
    expect(await outbox()).toEqual(['alert payment #undefined suspense']);
    expect(await plans()).toEqual([]);
    await books.book(order);
    expect(await plans()).toEqual([['5123', 'pro-30', day(30)]]);
    expect((await outbox()).slice(1, 3)).toEqual([
      'webhook payment #1 payment.paid',
      'telegram user #1 credited',
    ]);
    expect(await books.balances()).toContain('user:5123 1000 NDN');
  });

  test('a refund of what was spent takes the balance below zero, and a person is told', async () => {
    const spent = { asset: 'NDN', amount: '-400' };
    await books.book(order, paid);
    await books.query(`UPDATE balances SET amount = amount + CAST(${spent.amount} AS DECIMAL(38,18))
      WHERE account = 'user:5123'`);
    await books.book(refunded);
    expect(await books.balances()).toContain('user:5123 -400 NDN');
    expect(await outbox()).toContain('alert user #undefined below-zero');
  });

  test('money of a test network gives nobody anything', async () => {
    await books.book(
      orderEvent('crypto', { orderId: 'kp_1', price, grants: [CREDIT, PRO], network: 'test' }),
      paymentEvent('payment.paid', { ...facts, paid: price, network: 'test' }),
    );
    expect(await plans()).toEqual([]);
    expect(await outbox()).toEqual(['webhook payment #1 payment.paid']);
  });

  test('a payment, its renewal, its refund and its order end alike, in whatever order and however often', async () => {
    const seen = new Set<string>();
    for (const [at, history] of permutations([0, 1, 2, 3]).entries()) {
      const events = historyOf(String(7000 + at));
      for (const which of history)
        await books.book(...events.slice(which, which + 1), ...events.slice(which, which + 1));
      const user = `'${7000 + at}'`;
      const plan = await books.query(`SELECT active_until FROM subscriptions WHERE user = ${user}`);
      const balance = await books.query(
        `SELECT asset, amount FROM balances WHERE account = CONCAT('user:', ${user})`,
      );
      seen.add(JSON.stringify([plan, balance]));
    }
    expect([...seen]).toEqual([
      JSON.stringify([
        [{ active_until: day(50) }],
        [{ asset: 'NDN', amount: '1000.000000000000000000' }],
      ]),
    ]);
  });
});

/** One user's own: an order, its payment, the renewal, and the refund of the first. */
function historyOf(user: string): readonly KopeckEvent[] {
  const price = { asset: 'XTR', amount: '100' };
  const facts = { source: 'telegram', reference: `kp_${user}`, payer: user } as const;
  return [
    orderEvent('crypto', {
      orderId: `kp_${user}`,
      price,
      grants: [
        { kind: 'credit', user, asset: 'NDN', amount: '1000' },
        { kind: 'subscription', user, plan: 'pro-30', days: 30 },
      ],
    }),
    paymentEvent('payment.paid', { ...facts, paymentId: `a${user}`, paid: price, time: day(0) }),
    paymentEvent('payment.paid', { ...facts, paymentId: `b${user}`, paid: price, time: day(20) }),
    refundEvent({ ...facts, paymentId: `a${user}`, refunded: price, time: day(25) }),
  ];
}

function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
