import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles, parseRoubles } from '@kopeck/core/roubles';

describe('roubles', () => {
  test.each([
    ['100', 10_000n],
    ['100.5', 10_050n],
    ['100.50', 10_050n],
    ['0.01', 1n],
    ['0', 0n],
    ['99999999999.99', 9_999_999_999_999n],
  ])('%s are %s kopecks', (text, kopecks) => {
    expect(parseRoubles(text)).toBe(kopecks);
  });

  test.each([
    '',
    '-1',
    '+1',
    '1e2',
    '0.001',
    '1.',
    '.5',
    '01',
    '1,5',
    ' 1',
    '1 ',
    'NaN',
    '100000000000',
    '0x10',
  ])('are not %j', (text) => {
    expect(parseRoubles(text)).toBeNull();
  });

  test('read back as they were written, with any number of decimals asked for', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 13n - 1n }), fc.nat(2), (kopecks, decimals) => {
        expect(parseRoubles(formatRoubles(kopecks, decimals))).toBe(kopecks);
      }),
    );
    expect(formatRoubles(10_000n)).toBe('100');
    expect(formatRoubles(10_000n, 1)).toBe('100.0');
    expect(formatRoubles(10_050n, 2)).toBe('100.50');
  });

  test('go into JSON as they are spelled', () => {
    expect(JSON.stringify({ amount: jsonNumber('100.00') })).toBe('{"amount":100.00}');
    expect(() => jsonNumber('1,"x":2')).toThrow(RangeError);
  });
});
