import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '@kopeck/runtime/config';
import { cryptoConfig, secretsOf, warningsOf, type CryptoConfig } from '../src/config.ts';
import { BOT_SECRET, BOT_TOKEN, MAIN_TOKEN, SHOP_TOKEN, TESTNET_TOKEN } from './partners.ts';
import { CREDENTIALS } from './running-crypto.ts';

const REQUIRED = {
  REDIS_URL: 'redis://127.0.0.1:6379/0',
  JOURNAL_DIR: '/journal',
  NDN_PER_STAR: '10',
};

function load(env: Readonly<Record<string, string>>): CryptoConfig {
  return loadConfig(cryptoConfig, { ...REQUIRED, ...env });
}

function mistakeIn(env: Readonly<Record<string, string>>): string {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'none';
}

test('lists are read in order, and the ports have their defaults', () => {
  expect(load({ ...CREDENTIALS, CRYPTOBOT_TOKEN: `${SHOP_TOKEN}, ${MAIN_TOKEN}` })).toMatchObject({
    CRYPTO_PORT: 8000,
    CRYPTO_METRICS_PORT: 9002,
    CRYPTOBOT_TOKEN: [SHOP_TOKEN, MAIN_TOKEN],
    CRYPTOBOT_TESTNET_TOKEN: [TESTNET_TOKEN],
    NDN_PER_STAR: '10',
  });
});

test('no credentials are required, and each that is missing is said', () => {
  expect(warningsOf(load({}))).toHaveLength(3);
  expect(warningsOf(load(CREDENTIALS))).toEqual([]);
  expect(warningsOf(load({ ...CREDENTIALS, TELEGRAM_BOT_TOKEN: '' }))).toHaveLength(1);
  expect(warningsOf(load({ CRYPTOBOT_TESTNET_TOKEN: TESTNET_TOKEN }))).toHaveLength(2);
});

test.each([
  ['CRYPTOBOT_TOKEN', MAIN_TOKEN.slice(0, -1)],
  ['CRYPTOBOT_TOKEN', `${MAIN_TOKEN}, a${SHOP_TOKEN}`],
  ['CRYPTOBOT_TOKEN', `1${'2'.repeat(20)}${MAIN_TOKEN.slice(5)}`],
  ['CRYPTOBOT_TESTNET_TOKEN', 'secret'],
  ['TELEGRAM_BOT_TOKEN', BOT_TOKEN.slice(11)],
  ['TELEGRAM_WEBHOOK_SECRET', 'Secret7'],
  ['TELEGRAM_WEBHOOK_SECRET', 'with a space in it'],
  ['TELEGRAM_WEBHOOK_SECRET', 'x'.repeat(257)],
  ['NDN_PER_STAR', '0.00'],
  ['NDN_PER_STAR', '0.0'],
  ['NDN_PER_STAR', '-10'],
  ['NDN_PER_STAR', '1e3'],
])('%s may not be %j, and the mistake does not show it', (key, value) => {
  const mistake = mistakeIn({ [key]: value });
  expect(mistake).toContain(`  ${key}: `);
  expect(mistake.split(key).at(-1)).not.toContain(value);
});

test('NDN_PER_STAR is required, for orders of Stars are judged by it', () => {
  expect(mistakeIn({ NDN_PER_STAR: '' })).toContain('NDN_PER_STAR');
  expect(load({ NDN_PER_STAR: '0.5' }).NDN_PER_STAR).toBe('0.5');
});

test('a token of the main network may not be one of the test network too', () => {
  const mistake = mistakeIn({ CRYPTOBOT_TOKEN: MAIN_TOKEN, CRYPTOBOT_TESTNET_TOKEN: MAIN_TOKEN });
  expect(mistake).toContain('CRYPTOBOT_TESTNET_TOKEN');
  expect(mistake).not.toContain(MAIN_TOKEN);
});

test('all tokens and secrets are kept out of the log', () => {
  const secrets = secretsOf(load(CREDENTIALS));
  for (const secret of [MAIN_TOKEN, TESTNET_TOKEN, BOT_TOKEN, BOT_SECRET]) {
    expect(secrets).toContain(secret);
  }
});
