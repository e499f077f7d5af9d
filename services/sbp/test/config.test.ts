import { expect, test } from 'vitest';
import { loadConfig } from '@kopeck/runtime/config';
import { sbpConfig, secretsOf, warningsOf, type SbpConfig } from '../src/config.ts';
import { openReaders, PROVIDERS } from '../src/providers.ts';
import { API_TOKEN, BANK_KEY } from './running-sbp.ts';

const REQUIRED = {
  DATABASE_URL: 'mysql://sbp:secret@127.0.0.1:3306/kopeck',
  REDIS_URL: 'redis://127.0.0.1:6379/0',
  JOURNAL_DIR: '/journal',
  WEBHOOK_API_TOKEN: API_TOKEN,
};
const BANK = { RAIFFEISEN_SECRET_KEY: BANK_KEY, RAIFFEISEN_SBP_MERCHANT_ID: 'MA0000000552' };

function load(env: Readonly<Record<string, string>>): SbpConfig {
  return loadConfig(sbpConfig, { ...REQUIRED, ...env });
}

test('what is not said has the value that is right for a live shop', () => {
  expect(load(BANK)).toMatchObject({
    SBP_PORT: 5000,
    SBP_METRICS_PORT: 9001,
    SBP_PROVIDER: 'raiffeisen',
    SBP_TTL_MINUTES: 60,
    RAIFFEISEN_URL: 'https://pay.raif.ru/api',
    WEBHOOK_API_TOKEN: [API_TOKEN],
  });
  expect(warningsOf(load(BANK))).toEqual([]);
});

test('the bank’s credentials may be missing, and then that is said', () => {
  expect(warningsOf(load({}))).toEqual([
    'raiffeisen is not configured and answers 503: set RAIFFEISEN_SECRET_KEY and RAIFFEISEN_SBP_MERCHANT_ID',
  ]);
});

test.each([
  ['RAIFFEISEN_SBP_MERCHANT_ID', { RAIFFEISEN_SECRET_KEY: BANK_KEY }],
  ['RAIFFEISEN_SBP_MERCHANT_ID', { ...BANK, RAIFFEISEN_SBP_MERCHANT_ID: 'not an id' }],
  ['RAIFFEISEN_SECRET_KEY', { ...BANK, RAIFFEISEN_SECRET_KEY: 'hunter2' }],
  ['RAIFFEISEN_URL', { ...BANK, RAIFFEISEN_URL: 'https://pay.raif.ru/api/' }],
  ['WEBHOOK_API_TOKEN', { ...BANK, WEBHOOK_API_TOKEN: 'hunter2' }],
  ['SBP_PROVIDER', { ...BANK, SBP_PROVIDER: 'hunter2' }],
  ['SBP_TTL_MINUTES', { ...BANK, SBP_TTL_MINUTES: '0' }],
  ['DATABASE_URL', { ...BANK, DATABASE_URL: 'hunter2' }],
])('a mistake in %s is named and not quoted', (key, env) => {
  expect(() => load(env)).toThrow(
    new RegExp(`^Please set in the environment:\\n  ${key}: [^\\n]+$`),
  );
  expect(() => load(env)).not.toThrow(/hunter2/);
});

test('every secret is known to the log', () => {
  const secrets = secretsOf(load({ ...BANK, WEBHOOK_API_TOKEN: `${API_TOKEN},old-${API_TOKEN}` }));
  expect(secrets).toEqual([API_TOKEN, `old-${API_TOKEN}`, BANK_KEY]);
});

test('every provider reads kept answers again without credentials', async () => {
  const readers = openReaders(() => async () => ({ json: {}, text: '{}' }));
  expect(Object.keys(readers)).toEqual(PROVIDERS);
  const header = (): undefined => undefined;
  const body = Buffer.from('{"event":"payment.succeeded"}');
  for (const reader of Object.values(readers)) {
    // What nobody could have signed is believed by none of them.
    expect((await reader?.readCallback({ header, body }))?.ok).toBe(false);
  }
});
