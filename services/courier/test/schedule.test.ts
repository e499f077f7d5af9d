import { expect, test } from 'vitest';
import { isForbidden } from '../src/forbidden-address.ts';
import { messageText, parseMessages } from '../src/messages.ts';
import { nextTry, readRetryAfter } from '../src/schedule.ts';

const now = new Date('2026-10-05T12:00:00.000Z');

function secondsUntil(attempts: number, random: number, retryAfterMs: number | null = null) {
  const at = nextTry({ attempts, now, retryAfterMs, random: () => random });
  return at === null ? null : (at.getTime() - now.getTime()) / 1_000;
}

test('after each failure the next attempt comes later, by a fifth more or less, and then never', () => {
  const exactly = [0, 1, 2, 3, 4, 5, 6, 7].map((attempts) => secondsUntil(attempts, 0.5));
  expect(exactly).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, null]);
  expect([secondsUntil(0, 0), secondsUntil(0, 1)]).toEqual([4, 6]);
});

test('a receiver may ask for more patience, and for no more than a day', () => {
  expect(secondsUntil(0, 0.5, 60_000)).toBe(60);
  expect(secondsUntil(1, 0.5, 60_000)).toBe(300);
  expect(secondsUntil(0, 0.5, 1e12)).toBe(86_400);
});

test('Retry-After is read as seconds and as a date, and as nothing else', () => {
  expect(readRetryAfter('120', now)).toBe(120_000);
  expect(readRetryAfter('Mon, 05 Oct 2026 12:01:00 GMT', now)).toBe(60_000);
  expect(readRetryAfter('Mon, 05 Oct 2026 11:00:00 GMT', now)).toBe(0);
  expect(readRetryAfter('soon', now)).toBeNull();
  expect(readRetryAfter(undefined, now)).toBeNull();
});

test.each([
  ['169.254.169.254', true],
  ['::ffff:169.254.169.254', true],
  ['fe80::1', true],
  ['fd00:ec2::254', true],
  ['100.100.100.200', true],
  ['168.63.129.16', true],
  ['0.0.0.0', true],
  ['255.255.255.255', true],
  ['::', true],
  ['64:ff9b::a9fe:a9fe', true],
  ['2002:a9fe:a9fe::1', true],
  ['no address', true],
  ['127.0.0.1', false],
  ['10.0.0.5', false],
  ['192.168.1.2', false],
  ['::1', false],
  ['203.0.113.7', false],
  ['2001:db8::1', false],
])('%s is forbidden: %s', (address, expected) => {
  expect(isForbidden(address)).toBe(expected);
});

test('the operator words messages as he likes, and a name or language that does not exist is a mistake', () => {
  const messages = parseMessages('{"ru":{"credited":"Ура: {amount}! {nothing}"}}');
  const payload = { template: 'credited', amount: '5', asset: 'NDN' };
  expect(messages && messageText(payload, messages, 'ru')).toBe('Ура: 5! {nothing}');
  expect(messages && messageText(payload, messages, 'en')).toBe('5 NDN credited.');
  for (const wrong of ['', '[]', '{"de":{}}', '{"ru":{"nope":"x"}}', '{"ru":{"paid":" "}}']) {
    expect(parseMessages(wrong)).toBeNull();
  }
});
