import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Joi from 'joi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConfigError,
  databaseKeys,
  loadConfig,
  port,
  receiverKeys,
  secretKey,
  secretList,
} from '@kopeck/runtime/config';

interface Example {
  readonly PORT: number;
  readonly API_KEY: string;
  readonly TOKENS?: string[];
}

const example = Joi.object<Example, true>({
  PORT: port(8080),
  API_KEY: secretKey('the key of the API').required(),
  TOKENS: secretList('the tokens'),
});

const KEY = 'k'.repeat(32);
const OTHER = 'o'.repeat(32);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'kopeck-config-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function fileOf(content: string): string {
  const path = join(dir, String(Math.random()));
  writeFileSync(path, content);
  return path;
}

function mistakesOf(schema: Joi.ObjectSchema, env: Record<string, string>): string {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the environment', () => {
  test('is read once, with defaults, and frozen; what nobody asked for is left out', () => {
    const config = loadConfig(example, { API_KEY: KEY, PATH: '/bin' });
    expect(config).toEqual({ PORT: 8080, API_KEY: KEY });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('names every mistake at once, with what was expected', () => {
    const missing = { PORT: '70000', TOKENS: 'too-short' };
    expect(mistakesOf(example, missing).split('\n').slice(0, 4)).toEqual([
      'Please set in the environment:',
      '  PORT: a port number',
      '  API_KEY: the key of the API: at least 32 characters',
      '  TOKENS: the tokens; several are separated by commas, the first is current',
    ]);
  });

  test('is refused without a word of what it held', () => {
    const secret = 'do-not-print-me';
    const schema = Joi.object({ ...receiverKeys, ...databaseKeys, ...nested(example) });
    const names = Object.keys((schema.describe() as { keys: object }).keys);
    const text = mistakesOf(schema, Object.fromEntries(names.map((name) => [name, secret])));
    expect(text).not.toContain(secret);
    expect(text).toContain('REDIS_URL');
  });

  test('is refused without a word of it also by a rule that nobody gave words', () => {
    const wordless = Joi.object({ CODE: Joi.string().pattern(/^[a-z]+$/), LIST: Joi.valid('a') });
    const text = mistakesOf(wordless, { CODE: 'S3cret', LIST: 'S3cret' });
    expect(text).toContain('CODE: not as expected');
    expect(text).not.toContain('S3cret');
  });

  test.each([
    ['', 8080],
    ['0', 0],
    ['65535', 65_535],
  ])('PORT=%j is the port %s: what is empty was not given', (PORT, expected) => {
    expect(loadConfig(example, { PORT, API_KEY: KEY }).PORT).toBe(expected);
  });

  test('that gives a required key without a value does not give it', () => {
    expect(mistakesOf(example, { API_KEY: '' })).toContain('API_KEY: the key');
  });
});

describe('a list of secrets', () => {
  test('keeps its order, for the first is current', () => {
    const config = loadConfig(example, { API_KEY: KEY, TOKENS: `${OTHER}, ${KEY},` });
    expect(config.TOKENS).toEqual([OTHER, KEY]);
  });

  test('of one is a list', () => {
    expect(loadConfig(example, { API_KEY: KEY, TOKENS: KEY }).TOKENS).toEqual([KEY]);
  });

  test.each([',', ' , ', `${KEY},short`])('is not %j', (TOKENS) => {
    expect(mistakesOf(example, { API_KEY: KEY, TOKENS })).toContain('TOKENS: the tokens');
  });

  test('that is empty was not given', () => {
    expect(loadConfig(example, { API_KEY: KEY, TOKENS: '' }).TOKENS).toBeUndefined();
  });
});

describe('a file in place of a value', () => {
  test('is read for every key, without the line break at its end', () => {
    const env = { API_KEY_FILE: fileOf(`${KEY}\n`), TOKENS_FILE: fileOf(`${KEY},${OTHER}\r\n`) };
    expect(loadConfig(example, env)).toEqual({ PORT: 8080, API_KEY: KEY, TOKENS: [KEY, OTHER] });
  });

  test('comes before a value', () => {
    const env = { API_KEY: KEY, API_KEY_FILE: fileOf(OTHER) };
    expect(loadConfig(example, env).API_KEY).toBe(OTHER);
  });

  test('that is not named leaves the value', () => {
    expect(loadConfig(example, { API_KEY: KEY, API_KEY_FILE: '' }).API_KEY).toBe(KEY);
  });

  test('that cannot be read is one mistake, and never silently the value', () => {
    const text = mistakesOf(example, { API_KEY: KEY, API_KEY_FILE: join(dir, 'missing') });
    expect(text).toContain('API_KEY_FILE: the path of a file that this service may read');
    expect(text).not.toContain('missing');

    const folder = mistakesOf(example, { API_KEY_FILE: dir });
    expect(folder.match(/^ {2}API_KEY/gm)).toHaveLength(1);
  });

  test('that is empty gives nothing', () => {
    expect(mistakesOf(example, { API_KEY_FILE: fileOf('\n') })).toContain('API_KEY: the key');
  });

  test('with a mistake is refused without a word of it', () => {
    const text = mistakesOf(example, { API_KEY_FILE: fileOf('do-not-print-me') });
    expect(text).not.toContain('do-not-print-me');
  });
});

describe('the keys of every service', () => {
  const minimal = { REDIS_URL: 'redis://:pw@127.0.0.1:6379/0', JOURNAL_DIR: '/data' };
  const receiver = Joi.object({ ...receiverKeys });

  test('have defaults for what is the same everywhere', () => {
    expect(loadConfig(receiver, minimal)).toEqual({
      ...minimal,
      HOST: '0.0.0.0',
      TRUST_PROXY: 'loopback, linklocal, uniquelocal',
      LOG_LEVEL: 'info',
      REDIS_PREFIX: '{kopeck}',
      REDIS_UNSAFE: false,
      JOURNAL_MAX_BYTES: 2 ** 30,
      JOURNAL_KEEP_HOURS: 24,
      FORGED_PER_MINUTE: 30,
      FORGED_QUIET_MINUTES: 5,
    });
  });

  test.each([
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
    ['', false],
  ])('REDIS_UNSAFE=%j is %s', (REDIS_UNSAFE, expected) => {
    expect(loadConfig(receiver, { ...minimal, REDIS_UNSAFE })).toMatchObject({
      REDIS_UNSAFE: expected,
    });
  });

  test.each([
    ['REDIS_URL', 'http://127.0.0.1'],
    ['REDIS_PREFIX', 'kopeck'],
    ['REDIS_UNSAFE', 'please'],
    ['JOURNAL_MAX_BYTES', '1000'],
    ['JOURNAL_MAX_BYTES', '1 GiB'],
    ['JOURNAL_KEEP_HOURS', '-1'],
    ['LOG_LEVEL', 'verbose'],
  ])('%s is not %j', (key, value) => {
    expect(mistakesOf(receiver, { ...minimal, [key]: value })).toContain(`  ${key}: `);
  });
});

function nested(schema: Joi.ObjectSchema): Record<string, Joi.Schema> {
  const names = Object.keys((schema.describe() as { keys: object }).keys);
  return Object.fromEntries(names.map((name) => [name, schema.extract(name)]));
}
