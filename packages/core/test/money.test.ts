import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  amountOf,
  canonicalAmount,
  formatAmount,
  isAsset,
  multiply,
  parseAmount,
  parseMoney,
  truncate,
} from '@kopeck/core/money';

const LARGEST = 10n ** 33n - 1n;
const anyAmount = fc.bigInt({ min: -LARGEST, max: LARGEST });

describe('an amount', () => {
  test('reads back as it was written, down to the last of its eighteen decimals', () => {
    fc.assert(
      fc.property(anyAmount, (amount) => {
        expect(parseAmount(formatAmount(amount))).toBe(amount);
      }),
    );
  });

  test('has one spelling, whatever zeros it was sent with', () => {
    const zeros = (most: number) => fc.nat(most).map((count) => '0'.repeat(count));
    const wholes = fc.bigInt({ min: 0n, max: 10n ** 12n - 1n });
    const decimals = fc.bigInt({ min: 0n, max: 10n ** 10n - 1n });
    fc.assert(
      fc.property(wholes, decimals, zeros(3), zeros(8), (whole, decimal, before, after) => {
        const fraction = decimal.toString().padStart(10, '0');
        const short = fraction.replace(/0+$/, '');
        const canonical = short === '' ? `${whole}` : `${whole}.${short}`;
        expect(canonicalAmount(`${before}${whole}.${fraction}${after}`)).toBe(canonical);
      }),
    );
  });

  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['-0.000', '0'],
    ['007', '7'],
    ['100.00', '100'],
    ['1.50', '1.5'],
    ['-0.010', '-0.01'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['999999999999999.999999999999999999', '999999999999999.999999999999999999'],
  ])('%s is written %s', (text, canonical) => {
    expect(canonicalAmount(text)).toBe(canonical);
  });

  test.each([
    ['nothing', ''],
    ['a sign alone', '-'],
    ['a plus', '+1'],
    ['two signs', '--1'],
    ['an exponent', '1e3'],
    ['an exponent in capitals', '1E-7'],
    ['sixteen whole digits', '1000000000000000'],
    ['sixteen whole digits, leading zeros among them', '0000000000000001'],
    ['nineteen decimals', '0.0000000000000000001'],
    ['nineteen decimals, trailing zeros among them', '0.1000000000000000000'],
    ['no whole digits', '.5'],
    ['a point without decimals', '5.'],
    ['two points', '1.2.3'],
    ['a comma', '1,5'],
    ['grouped digits', '1 000'],
    ['space around it', ' 1'],
    ['a line break behind it', '1\n'],
    ['a hexadecimal', '0x10'],
    ['an infinity', 'Infinity'],
    ['no number', 'NaN'],
    ['digits of another script', '١٢'],
    ['a NUL', '1\u0000'],
  ])('is not %s', (_what, text) => {
    expect(parseAmount(text)).toBeNull();
    expect(canonicalAmount(text)).toBeNull();
    expect(() => amountOf(text)).toThrow(RangeError);
  });

  test('is exact where a float is not', () => {
    const sum = amountOf('0.1') + amountOf('0.2');
    expect(formatAmount(sum)).toBe('0.3');
    expect(canonicalAmount('999999999999999.99')).toBe('999999999999999.99');
  });

  test('is refused without being looked at for long, whatever its length', () => {
    expect(parseAmount('9'.repeat(1_000_000))).toBeNull();
    expect(parseAmount(`0.${'0'.repeat(1_000_000)}`)).toBeNull();
  });
});

describe('arithmetic', () => {
  test.each([
    ['1500', '0.1', '150'],
    ['0.000000000000000001', '0.5', '0'],
    ['-0.000000000000000001', '0.5', '0'],
    ['-1.5', '2', '-3'],
  ])('%s × %s = %s, rounded towards zero', (a, b, product) => {
    expect(formatAmount(multiply(amountOf(a), amountOf(b)))).toBe(product);
  });

  test.each([
    ['1.239', 2, '1.23'],
    ['-1.239', 2, '-1.23'],
    ['1.239', 0, '1'],
    ['0.009', 2, '0'],
    ['1.23', 18, '1.23'],
  ])('%s cut to %s decimals is %s', (amount, decimals, expected) => {
    expect(formatAmount(truncate(amountOf(amount), decimals))).toBe(expected);
  });

  test('a cut amount is never larger, and differs by less than its last decimal', () => {
    fc.assert(
      fc.property(anyAmount, fc.integer({ min: 0, max: 18 }), (amount, decimals) => {
        const rest = amount - truncate(amount, decimals);
        const size = rest < 0n ? -rest : rest;
        expect(size).toBeLessThan(10n ** BigInt(18 - decimals));
        expect(rest === 0n || rest > 0n === amount > 0n).toBe(true);
      }),
    );
  });
});

describe('money', () => {
  test('is an asset and a canonical amount above zero', () => {
    expect(parseMoney('USDT', '4.50')).toEqual({ asset: 'USDT', amount: '4.5' });
  });

  test.each([
    ['RUB', '0'],
    ['RUB', '-1'],
    ['RUB', '1e2'],
    ['', '1'],
    ['R', '1'],
    ['rub', '1'],
    ['RUB ', '1'],
    ['RUB\n', '1'],
    ['РУБ', '1'],
    ['ABCDEFGHIJKLMNOPQ', '1'],
  ])('is not %j %j', (asset, amount) => {
    expect(parseMoney(asset, amount)).toBeNull();
  });

  test.each(['RUB', 'XTR', 'USDT', '1INCH', 'ABCDEFGHIJKLMNOP'])(
    'may be of an asset that nobody has listed: %s',
    (asset) => {
      expect(isAsset(asset)).toBe(true);
    },
  );
});
