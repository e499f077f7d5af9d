import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

let output: string;
let lines: Map<string, Record<string, unknown>>;

beforeAll(() => {
  const child = join(import.meta.dirname, 'children', 'log-lines.ts');
  output = execFileSync(process.execPath, [child], { encoding: 'utf8' });
  lines = new Map(
    output
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .map((fields) => [fields['message'] as string, fields]),
  );
});

function line(message: string): Record<string, unknown> {
  const found = lines.get(message);
  if (found === undefined) throw new Error(`no line says '${message}'`);
  return found;
}

test('a line is one JSON object, with its time, its level and its service', () => {
  expect(line('plain')).toEqual({
    level: 'info',
    message: 'plain',
    service: 'test',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
  });
});

test('what is below the level is not written', () => {
  expect(lines.has('below the level')).toBe(false);
});

test('a message is never taken for a format, nor are its fields for the line’s own', () => {
  expect(line('percent %s %d %o')).toMatchObject({ kept: 1 });
  const { level, service, timestamp } = line('reserved');
  expect([level, service]).toEqual(['info', 'test']);
  expect(timestamp).not.toBe('theirs');
});

test('an error is spelled out with all its causes, and without the secrets of any', () => {
  expect(line('nested')['error']).toEqual({
    name: 'Error',
    message: 'outer, with ***',
    stack: expect.stringContaining('log-lines.ts') as string,
    cause: {
      name: 'Error',
      message: 'call of /bot7000000001:***/sendMessage failed',
      stack: expect.any(String) as string,
      cause: {
        name: 'TypeError',
        message: 'connect to redis://default:***@127.0.0.1:6379 failed',
        stack: expect.any(String) as string,
      },
    },
  });
});

test('of an HTTP client’s error the request and the answer are left out', () => {
  expect(line('client')['error']).toEqual({
    name: 'HttpClientError',
    message: 'Request failed with status code 404',
    code: 'ERR_BAD_RESPONSE',
    stack: expect.any(String) as string,
  });
  expect(lines.has('client deep')).toBe(true);
});

test('errors that an error gathers are told, for it may say nothing itself', () => {
  expect(line('gathered')['error']).toMatchObject({
    code: 'ECONNREFUSED',
    errors: [{ message: 'over IPv6' }, { message: 'over IPv4' }],
  });
});

test('what refers to itself ends', () => {
  expect(line('cycle of errors')['error']).toMatchObject({
    cause: { cause: { message: 'selfish' } },
  });
  expect(line('cycle')['cycle']).toMatchObject({ self: { self: { name: 'cycle' } } });
});

test('values that JSON does not know are written so that a person can read them', () => {
  expect(line('values')).toMatchObject({
    big: '12345678901234567890',
    date: '1970-01-01T00:00:00.000Z',
    never: null,
    bytes: '4 bytes',
    nothing: null,
    list: [1, 'two', ['3']],
  });
});

test('a value under the name of a secret is not looked at, and a missing one shows', () => {
  expect(line('names')).toMatchObject({
    headers: { 'X-Telegram-Bot-Api-Secret-Token': '***', Cookie: '***', accept: 'json' },
    EPN_SECRET_TOKEN: '***',
    missingToken: null,
    '***': 'as a key',
  });
});

test('a known secret is found in a URL, in JSON and as a key', () => {
  expect(line('spellings')).toMatchObject({ url: 'http://x/?a=***', json: '{"value":"***"}' });
});

test('numbers stay numbers, unless one is a card', () => {
  expect(line('numbers')).toMatchObject({
    card: '****',
    order: 8123456789012345,
    at: 1759665600000,
  });
});

test.each(['hunter2', 'inner-of', 'AAHk3vT9', 'known/secret', 'known%2Fsecret', 'with "quotes"'])(
  'no line at all holds %s',
  (secret) => {
    expect(output.length).toBeGreaterThan(1_000);
    expect(output).not.toContain(secret);
  },
);

test.each(['exit', 'throw'])(
  'the last line is written also by a process that ends with %s',
  (how) => {
    const child = join(import.meta.dirname, 'children', 'log-and-exit.ts');
    const { stdout } = spawnSync(process.execPath, [child, how], { encoding: 'utf8' });
    expect(stdout).toContain('last words');
  },
);
