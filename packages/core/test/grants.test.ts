import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cryptobotPayloadGrant,
  mintedOrderId,
  parsePlans,
  starsPayloadGrant,
  type Plans,
} from '@kopeck/core/grants';
import type { Money } from '@kopeck/core/money';

const RATE = '10';

function stars(payload: unknown, paid = '150'): unknown {
  return starsPayloadGrant(
    typeof payload === 'string' ? payload : JSON.stringify(payload),
    paid,
    RATE,
  );
}

describe('the Stars payload', () => {
  const credit = { kind: 'credit', user: '5123456789', asset: 'NDN' };

  test('credits what it promises, at the rate', () => {
    const payload = '{"telegram_id":5123456789,"amount_ndn":1500,"o":"01K9ZD1H7V3A"}';
    expect(stars(payload)).toEqual({ ok: true, grant: { ...credit, amount: '1500' } });
  });

  test.each([
    ['ids and amounts in quotes', { telegram_id: '5123456789', amount_ndn: '1500' }, '1500'],
    ['a part of an NDN', { telegram_id: 5123456789, amount_ndn: 1500.5 }, '1500.5'],
    ['1 % more', { telegram_id: 5123456789, amount_ndn: 1515 }, '1515'],
    ['1 % less', { telegram_id: 5123456789, amount_ndn: 1485 }, '1485'],
  ])('may have %s', (_what, payload, amount) => {
    expect(stars(payload)).toEqual({ ok: true, grant: { ...credit, amount } });
  });

  test.each([
    ['nothing', '', 'payload-missing'],
    ['the plain text of other code', 'order:01K9ZC4W8QFJ', 'payload-foreign'],
    ['a bare number', '5123456789', 'payload-foreign'],
    ['a list', '[1,2]', 'payload-foreign'],
    ['no amount', { telegram_id: 5123456789 }, 'payload-foreign'],
    ['no user', { amount_ndn: 1500 }, 'payload-foreign'],
    ['inherited keys only', '{"__proto__":{"telegram_id":1,"amount_ndn":1500}}', 'payload-foreign'],
    ['a group', { telegram_id: -1001234567890, amount_ndn: 1500 }, 'payload-user-invalid'],
    ['user zero', { telegram_id: 0, amount_ndn: 1500 }, 'payload-user-invalid'],
    ['another spelling of a user', { telegram_id: '05', amount_ndn: 1500 }, 'payload-user-invalid'],
    [
      'a user above 2^52',
      '{"telegram_id":4503599627370497,"amount_ndn":1500}',
      'payload-user-invalid',
    ],
    ['a user with an exponent', '{"telegram_id":5e9,"amount_ndn":1500}', 'payload-user-invalid'],
    ['half a user', { telegram_id: 5.5, amount_ndn: 1500 }, 'payload-user-invalid'],
    ['no real user', { telegram_id: true, amount_ndn: 1500 }, 'payload-user-invalid'],
    ['a negative amount', { telegram_id: 5, amount_ndn: -5 }, 'payload-amount-invalid'],
    ['an amount of zero', { telegram_id: 5, amount_ndn: 0 }, 'payload-amount-invalid'],
    ['an exponent', '{"telegram_id":5,"amount_ndn":1e21}', 'payload-amount-invalid'],
    ['a small exponent', '{"telegram_id":5,"amount_ndn":15e2}', 'payload-amount-invalid'],
    ['no real amount', { telegram_id: 5, amount_ndn: null }, 'payload-amount-invalid'],
    [
      'a little over 1 % more',
      { telegram_id: 5, amount_ndn: '1515.01' },
      'payload-amount-off-rate',
    ],
    [
      'a little over 1 % less',
      { telegram_id: 5, amount_ndn: '1484.99' },
      'payload-amount-off-rate',
    ],
  ])('grants nothing with %s', (_what, payload, reason) => {
    expect(stars(payload)).toEqual({ ok: false, reason });
  });

  test('takes the largest user id', () => {
    expect(stars('{"telegram_id":4503599627370496,"amount_ndn":1500}')).toMatchObject({ ok: true });
  });

  test('grants nothing for no stars', () => {
    expect(stars({ telegram_id: 5, amount_ndn: 1500 }, '0')).toMatchObject({ ok: false });
  });

  test('is granted exactly within 1 % of the rate, for any price and rate', () => {
    const whole = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(whole, whole, fc.integer({ min: -150, max: 150 }), (paid, rateInCents, off) => {
        // In hundredths of a hundredth of a percent, so that all of it is whole numbers.
        const atRate = BigInt(paid) * BigInt(rateInCents) * 10_000n;
        const promised = atRate + (atRate / 10_000n) * BigInt(off);
        const verdict = starsPayloadGrant(
          JSON.stringify({ telegram_id: 7, amount_ndn: decimal(promised, 6) }),
          String(paid),
          decimal(BigInt(rateInCents), 2),
        );
        expect(verdict.ok).toBe(Math.abs(off) <= 100);
      }),
    );
  });
});

describe('the CryptoBot payload', () => {
  const plans = parsePlans('{"pro-30":{"asset":"USDT","amount":"4.50","days":30}}') as Plans;
  const price: Money = { asset: 'USDT', amount: '4.5' };
  const payload = { user_id: 5123456789, plan: 'pro-30', days: 30 };
  const verdict = (change: object, paid: Money | null = price): unknown =>
    cryptobotPayloadGrant(JSON.stringify({ ...payload, ...change }), paid, plans);

  test('grants a plan of the list at its price', () => {
    const grant = { kind: 'subscription', user: '5123456789', plan: 'pro-30', days: 30 };
    expect(verdict({})).toEqual({ ok: true, grant });
    expect(verdict({ user_id: '5123456789', days: '30' })).toEqual({ ok: true, grant });
  });

  test.each([
    ['a plan that is not on the list', { plan: 'pro-365' }, price, 'payload-plan-unknown'],
    ['a name that objects inherit', { plan: 'constructor' }, price, 'payload-plan-unknown'],
    ['more days', { days: 31 }, price, 'payload-plan-days-differ'],
    ['days of another spelling', { days: '030' }, price, 'payload-plan-days-differ'],
    ['a group', { user_id: -100 }, price, 'payload-user-invalid'],
    ['no amount', {}, null, 'payment-amount-unknown'],
    ['a lower price', {}, { asset: 'USDT', amount: '4.49' }, 'payment-not-the-plan-price'],
    ['a higher price', {}, { asset: 'USDT', amount: '45' }, 'payment-not-the-plan-price'],
    ['another asset', {}, { asset: 'JET', amount: '4.5' }, 'payment-not-the-plan-price'],
  ])('grants nothing for %s', (_what, change, paid, reason) => {
    expect(verdict(change, paid)).toEqual({ ok: false, reason });
  });

  test.each([null, '', 'order:01K9ZC9T2B7M', '{"user_id":5}'])('%j is not ours', (text) => {
    expect(cryptobotPayloadGrant(text, price, plans)).toMatchObject({ ok: false });
  });
});

describe('PLANS', () => {
  test('is read with amounts as written', () => {
    expect(parsePlans('{"a":{"asset":"RUB","amount":499.00,"days":"7"}}')).toEqual(
      new Map([['a', { price: { asset: 'RUB', amount: '499' }, days: 7 }]]),
    );
    expect(parsePlans('{}')).toEqual(new Map());
  });

  test.each([
    'pro-30',
    '[]',
    'null',
    '{"a":1}',
    '{"":{"asset":"RUB","amount":"1","days":7}}',
    '{"a":{"asset":"rub","amount":"1","days":7}}',
    '{"a":{"asset":"RUB","amount":"0","days":7}}',
    '{"a":{"asset":"RUB","amount":"1e2","days":7}}',
    '{"a":{"asset":"RUB","amount":"1","days":0}}',
    '{"a":{"asset":"RUB","amount":"1","days":1.5}}',
    '{"a":{"asset":"RUB","amount":"1","days":36501}}',
    '{"a":{"asset":"RUB","amount":"1"}}',
  ])('%s makes no sense', (text) => {
    expect(parsePlans(text)).toBeNull();
  });
});

test('knows the payload that is an order of ours', () => {
  expect(mintedOrderId('kp_01K9ZD1H7V3A')).toBe('kp_01K9ZD1H7V3A');
  for (const foreign of [
    null,
    '',
    'kp_',
    'order:kp_1',
    'kp_a b',
    ' kp_a',
    `kp_${'a'.repeat(61)}`,
  ]) {
    expect(mintedOrderId(foreign)).toBeNull();
  }
});

test('any payload at all gets a verdict', () => {
  const payloads = fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(payloads, (payload) => {
      expect(starsPayloadGrant(payload, '1', '1')).toMatchObject({ ok: false });
      expect(cryptobotPayloadGrant(payload, null, new Map())).toMatchObject({ ok: false });
      parsePlans(payload);
    }),
  );
});

/** 12345 with 2 decimals: '123.45'. */
function decimal(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
