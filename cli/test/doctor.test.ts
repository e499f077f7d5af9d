import { expect, test } from 'vitest';
import { run as doctor } from '../src/commands/doctor.ts';
import { error, ok, warn, type Check } from '../src/doctor/check.ts';
import { examine } from '../src/doctor/examine.ts';
import { asJson, asText, isHealthy } from '../src/doctor/print.ts';
import { contextWith } from './context.ts';

const TOKEN = '7000000001:AAtokenOfTheTest_0123456789abcdefghi';

function check(name: string, run: Check['run']): Check {
  return { name, run };
}

test('findings are told in the order of the checks, each with its cure, and an error is bad news', async () => {
  const examined = await examine(
    [
      check('first', async () => [ok('all is well')]),
      check('second', async () => [warn('it rains', 'Take an umbrella.')]),
      check('nothing', async () => []),
    ],
    contextWith({}),
  );
  expect(asText(examined)).toBe(
    [
      'ok     first   all is well',
      'WARN   second  it rains',
      '               -> Take an umbrella.',
      '',
      '1 in order, 1 warnings, 0 errors',
    ].join('\n'),
  );
  expect(isHealthy(examined)).toBe(true);
  const worse = await examine([check('third', async () => [error('a', 'B.')])], contextWith({}));
  expect(isHealthy(worse)).toBe(false);
  expect(JSON.parse(asJson(worse))).toEqual({
    healthy: false,
    findings: [{ severity: 'error', what: 'a', cure: 'B.', check: 'third' }],
  });
});

test('a check that throws, hangs or misses a key is an error of its own, and the others are told', async () => {
  const examined = await examine(
    [
      check('throws', async () => {
        throw Object.assign(new Error(`https://api.telegram.org/bot${TOKEN}`), { code: 'EBROKEN' });
      }),
      check('hangs', () => new Promise(() => undefined)),
      check('misses', async ({ value }) => [ok(value('MISSING'))]),
      check('is fine', async () => [ok('fine')]),
    ],
    contextWith({}),
    { withinMs: 20 },
  );
  expect(examined.map(({ check: name, severity, what }) => [name, severity, what])).toEqual([
    ['throws', 'error', 'could not be examined: EBROKEN'],
    ['hangs', 'error', 'could not be examined: no answer within 0.02 s'],
    ['misses', 'error', 'something needed is not set'],
    ['is fine', 'ok', 'fine'],
  ]);
});

test('no finding shows a secret, whatever it quotes', async () => {
  const secret = 'webhook-secret-of-the-test';
  const context = contextWith({
    TELEGRAM_WEBHOOK_SECRET: `${secret},older-secret-of-the-test`,
    REDIS_URL: 'redis://kopeck:hunter2hunter2@redis:6379/0',
  });
  const quoting = check('quotes', async () => [
    warn(`${secret} older-secret-of-the-test ${TOKEN}`, 'not hunter2hunter2'),
  ]);
  const text = asText(await examine([quoting], context));
  for (const part of [secret, 'older-secret', TOKEN.slice(11), 'hunter2']) {
    expect(text).not.toContain(part);
  }
});

test('asked wrongly, it says how to ask', async () => {
  await expect(doctor(['--xml'], contextWith({}))).rejects.toThrow(/usage/);
});
