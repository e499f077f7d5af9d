import { expect, test } from 'vitest';
import { evidenceOf, rawHash } from '@kopeck/core/evidence';
import { deliveryOf } from '@kopeck/testing/delivery';

const SECRET = 'a-path-token-that-nobody-may-learn';

const delivery = deliveryOf({
  method: 'POST',
  path: `/webhook/${SECRET}`,
  query: 'click_id=1',
  headers: { 'user-agent': 'partner/1', signature: SECRET, 'x-kept': 'yes' },
  body: Buffer.from([0x00, 0xff, 0x7b]),
});

test('keeps the bytes as they came, with the headers that matter', () => {
  expect(JSON.parse(evidenceOf(delivery, ['x-kept', 'x-missing']))).toEqual({
    method: 'POST',
    query: 'click_id=1',
    headers: { 'content-type': 'application/json', 'user-agent': 'partner/1', 'x-kept': 'yes' },
    body: 'AP97',
  });
});

test('keeps neither the path nor a header that was not asked for', () => {
  expect(evidenceOf(delivery, ['x-kept'])).not.toContain(SECRET);
});

/** By `printf 'no sense' | sha256sum`, and likewise with the query alone and with both. */
test.each([
  ['a body', '', 'no sense', '6f834f901d03983fb77b712a97374f71841dcd8a6720d483fcf171cbbe7e2760'],
  [
    'a query',
    'click_id=%7Bclick_id%7D',
    '',
    '02eca24456fea4c483db3154485955eacdde212321279708739df86875ba14ee',
  ],
  [
    'a query and a body',
    'a=1',
    '{}',
    'f76802b706d22a8a76bbab3d4c4f9f982ef83a677ef79534325a2d8799fadc43',
  ],
])('the raw hash of %s is the SHA-256 of its bytes', (_what, query, body, expected) => {
  expect(rawHash(deliveryOf({ query, body: Buffer.from(body) }))).toBe(expected);
});
