import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';

function parse(text: string): unknown {
  return parseJsonText(Buffer.from(text));
}

test.each([
  '0',
  '-0',
  '12345',
  '1.50',
  '100.00',
  '1E5',
  '1e-7',
  '1e999',
  '9007199254740993',
  '123456789012345678901234567890.123456789',
])('the number %s keeps the digits that were sent', (lexeme) => {
  expect(parse(lexeme)).toBe(lexeme);
  expect(parse(`{"a":[${lexeme}]}`)).toEqual({ a: [lexeme] });
});

test('a number and its text are the same', () => {
  expect(parse('{"id":12345}')).toEqual(parse('{"id":"12345"}'));
});

test('everything that is not a number is what JSON says it is', () => {
  const withoutNumbers = fc.jsonValue({ depthSize: 'small' }).map(spellNumbers);
  fc.assert(
    fc.property(withoutNumbers, (value) => {
      expect(parse(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test.each(['', ' ', '{', '{"a":1,}', "{'a':1}", 'undefined', 'NaN', '01', '+1', '.5', '{"a":1}x'])(
  '%j is no JSON',
  (text) => {
    expect(parse(text)).toBeUndefined();
  },
);

test.each([
  ['a lone continuation byte', [0x22, 0x80, 0x22]],
  ['half a character', [0x22, 0xd0, 0x22]],
  ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
  ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ['UTF-16', [0xff, 0xfe, 0x31, 0x00]],
])('%s is no UTF-8, and nothing is put in its place', (_what, bytes) => {
  expect(parseJsonText(Buffer.from(bytes))).toBeUndefined();
});

test('an escaped lone surrogate is text like any other', () => {
  expect(parse('"\\ud800"')).toBe('\ud800');
});

test('__proto__ is a key like any other and changes nobody', () => {
  const record = parse('{"__proto__":{"isAdmin":true},"constructor":1}');
  expect(isRecord(record)).toBe(true);
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  expect(Object.keys(record as object)).toEqual(['__proto__', 'constructor']);
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
});

test.each([1_000, 10_000, 100_000])('brackets nested %s deep throw nothing', (depth) => {
  const arrays = `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const objects = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  for (const text of [arrays, objects, '['.repeat(depth)]) expect(() => parse(text)).not.toThrow();
});

test('any bytes at all throw nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      parseJsonText(Buffer.from(bytes));
    }),
  );
});

test.each([
  ['{"a":"x"}', 'x'],
  ['{"a":1.50}', '1.50'],
  ['{"a":""}', null],
  ['{"a":null}', null],
  ['{"a":true}', null],
  ['{"a":{}}', null],
  ['{"a":["x"]}', null],
  ['{"b":"x"}', null],
])('the text under a of %s is %j', (json, expected) => {
  const record = parse(json);
  expect(isRecord(record) && textAt(record, 'a')).toBe(expected);
});

test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
  'what every object inherits is no text: %s',
  (key) => {
    expect(textAt({}, key)).toBeNull();
  },
);

test.each([null, [], 'text', 1, undefined])('%j is no record', (value) => {
  expect(isRecord(value)).toBe(false);
});

/** JSON.parse would make floats of them, which is what ours is there to prevent. */
function spellNumbers(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(spellNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, spellNumbers(item)]));
}
