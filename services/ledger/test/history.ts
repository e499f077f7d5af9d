import type { KopeckEvent } from '@kopeck/core/event';
import { affiliateEvent, orderEvent, paymentEvent, refundEvent } from '@kopeck/testing/build-event';
import { quarantineOf } from '../src/quarantine.ts';

const PRO = { kind: 'subscription', user: '5123', plan: 'pro-30', days: 30 } as const;

/** A little of everything, with every outcome and every table in it. */
export function everything(): readonly KopeckEvent[] {
  const rub = (amount: string) => ({ asset: 'RUB', amount });
  const sbp = { source: 'sbp', reference: 'order-1', paid: rub('100.5') } as const;
  const stars = { source: 'telegram', paid: { asset: 'XTR', amount: '150' } } as const;
  const invoice = {
    source: 'cryptobot',
    paid: { asset: 'TON', amount: '2.5' },
    fee: { asset: 'TON', amount: '0.075' },
    swap: { asset: 'USDT', amount: '7.1' },
  } as const;
  const commission = rub('96.35');
  const strange = paymentEvent('payment.failed', { ...sbp, paymentId: 'strange' });
  return [
    orderEvent('sbp', { orderId: 'order-1', price: rub('100.5') }),
    orderEvent('crypto', { orderId: 'kp_1', price: { asset: 'XTR', amount: '150' } }),
    paymentEvent('payment.paid', { ...sbp, paymentId: 'AD1' }),
    paymentEvent('payment.paid', { ...sbp, paymentId: 'AD2', paid: rub('7') }),
    paymentEvent('payment.expired', { ...sbp, paymentId: 'AD3' }),
    paymentEvent('payment.paid', {
      ...stars,
      paymentId: 's1',
      reference: '{"telegram_id":5123,"amount_ndn":1500}',
    }),
    paymentEvent('payment.paid', { ...stars, paymentId: 's2', reference: 'kp_1' }),
    paymentEvent('payment.paid', { ...stars, paymentId: 's3', paid: null, reference: null }),
    paymentEvent('payment.paid', { ...invoice, paymentId: 'i1', reference: 'привет' }),
    paymentEvent('payment.paid', { ...invoice, paymentId: 'i2', network: 'test' }),
    refundEvent({ ...stars, paymentId: 's2', refundId: 'r', refunded: stars.paid }),
    affiliateEvent('waiting', { actionId: 'a1', commission }),
    affiliateEvent('completed', { actionId: 'a2', commission, clickId: 'é1 ' }),
    affiliateEvent('rejected', { actionId: 'a3', commission }),
    quarantineOf(strange, 'unbookable', new Date('2026-10-05T12:00:00.000Z')),
    orderEvent('crypto', { orderId: 'kp_2', price: stars.paid, grants: [PRO] }),
    paymentEvent('payment.paid', { ...stars, paymentId: 's4', reference: 'kp_2' }),
  ];
}
