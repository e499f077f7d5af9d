import type { KopeckEvent } from '@kopeck/core/event';
import { affiliateEvent, orderEvent, paymentEvent, refundEvent } from '@kopeck/testing/build-event';

const rub = (amount: string) => ({ asset: 'RUB', amount });
const stars = { asset: 'XTR', amount: '100' };

/** At least that many events of all sources, no two with one id, that crowd onto few accounts. */
export function contended(count: number): readonly KopeckEvent[] {
  const events: KopeckEvent[] = [];
  for (let n = 0; events.length < count; n += 1) events.push(...group(n));
  return events;
}

function group(n: number): readonly KopeckEvent[] {
  const sbp = { source: 'sbp', paymentId: `AD${n}`, reference: `order-${n}` } as const;
  const telegram = { source: 'telegram', paymentId: `s${n}` } as const;
  const user = 1 + (n % 5);
  const receivedAt = (minute: number): Date => new Date(Date.UTC(2026, 9, 5, 12, minute));
  const action = (status: 'waiting' | 'completed' | 'rejected', minute: number, amount = '96.35') =>
    affiliateEvent(status, {
      actionId: `a${n}`,
      clickId: String(user),
      commission: rub(amount),
      receivedAt: receivedAt(minute),
    });
  return [
    orderEvent('sbp', { orderId: `order-${n}`, price: rub('99.9') }),
    paymentEvent('payment.paid', { ...sbp, paid: rub('99.9') }),
    paymentEvent('payment.paid', {
      ...telegram,
      paid: stars,
      reference: `{"telegram_id":${user},"amount_ndn":1000}`,
    }),
    ...(n % 3 === 0
      ? [refundEvent({ ...telegram, refundId: 'all', refunded: stars, time: receivedAt(30) })]
      : [refundEvent({ ...sbp, refundId: 'part', refunded: rub('7'), time: receivedAt(30) })]),
    paymentEvent('payment.paid', {
      source: 'cryptobot',
      paymentId: `i${n}`,
      paid: { asset: 'TON', amount: '20.5' },
      fee: { asset: 'TON', amount: '0.5' },
      swap: { asset: 'USDT', amount: '60' },
    }),
    action('waiting', 1),
    action('completed', 2),
    ...(n % 4 === 0 ? [action('rejected', 3)] : [action('completed', 4, '93.1')]),
  ];
}

/** The same for the same turn: a fault that was found can be looked for again. */
export function shuffled<T>(items: readonly T[], turn: number): readonly T[] {
  let state = 1 + turn;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647);
  return items
    .map((item) => ({ item, place: next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
