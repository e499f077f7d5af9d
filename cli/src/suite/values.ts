import { readFileSync } from 'node:fs';
import { ConfigError } from '@kopeck/runtime/config';
import type { Secrets } from './secrets.ts';
import { SERVICES } from './services.ts';
import { OWN_KEYS, type Environment, type Settings } from './settings.ts';

/** The subscriber of the sandbox panel whose configs purchase 1 keeps. */
export const SANDBOX_SERVER = 'sandbox';
export const SANDBOX_SUBSCRIBER = 'subscriber-1';

export interface Values {
  /** By key: what every service gets of them, if it has such a key. */
  readonly values: Readonly<Record<string, string>>;
  /** Keys that were given and are not used, because the suite has databases of its own. */
  readonly ignored: readonly string[];
}

/** Ours, made for the sandbox, and over them whatever the operator has set. Throws ConfigError. */
export function valuesOf({ ports, given }: Settings, secrets: Secrets): Values {
  const known = new Set(SERVICES.flatMap(({ keys }) => keys));
  const values = { ...defaults(ports, secrets), ...stringsOf(ports) };
  for (const key of known) {
    if (OWN_KEYS.includes(key) || key in ports) continue;
    const override = valueOf(key, given);
    if (override !== undefined) values[key] = override;
  }
  const ignored = OWN_KEYS.filter((key) => key !== 'HOST' && given[key]);
  return { values, ignored };
}

/** The sandbox and kopeck.env need the value, too: a file's is read here. */
function valueOf(key: string, given: Environment): string | undefined {
  const file = given[`${key}_FILE`];
  if (!file) return given[key] || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new ConfigError(`Please set ${key}_FILE to the path of a file that can be read`);
  }
}

function defaults(ports: Settings['ports'], secrets: Secrets): Record<string, string> {
  const sandbox = `http://127.0.0.1:${ports.SANDBOX_PORT}`;
  const panel = { kind: 'sandbox', url: `${sandbox}/panel`, token: secrets.PANEL_TOKEN };
  const healthUrls = [ports.SBP_METRICS_PORT, ports.CRYPTO_METRICS_PORT, ports.EPN_METRICS_PORT];
  return {
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    REDIS_URL: `redis://:${secrets.REDIS_PASSWORD}@127.0.0.1:${ports.REDIS_PORT}/0`,
    QUEUES_REDIS_URL: `redis://:${secrets.REDIS_PASSWORD}@127.0.0.1:${ports.REDIS_PORT}/0`,
    REDIS_PREFIX: '{kopeck}',

    WEBHOOK_API_TOKEN: secrets.WEBHOOK_API_TOKEN,
    ...acquirers(sandbox, secrets),

    CRYPTOBOT_TOKEN: secrets.CRYPTOBOT_TOKEN,
    CRYPTOBOT_TESTNET_TOKEN: secrets.CRYPTOBOT_TESTNET_TOKEN,
    TELEGRAM_BOT_TOKEN: secrets.TELEGRAM_BOT_TOKEN,
    TELEGRAM_WEBHOOK_SECRET: secrets.TELEGRAM_WEBHOOK_SECRET,
    CRYPTO_API_TOKEN: secrets.CRYPTO_API_TOKEN,
    CRYPTOBOT_API_URL: `${sandbox}/crypto-pay/api`,
    CRYPTOBOT_TESTNET_API_URL: `${sandbox}/crypto-pay/api`,
    TELEGRAM_API_URL: `${sandbox}/telegram`,
    NDN_PER_STAR: '10',
    PLANS: '{"pro-30":{"asset":"USDT","amount":"4.5","days":30}}',

    EPN_SECRET_TOKEN: secrets.EPN_SECRET_TOKEN,
    EPN_DEFAULT_CURRENCY: 'RUB',
    EPN_STATS_CLIENT_ID: 'kopeck-sandbox',
    EPN_STATS_REFRESH_TOKEN: secrets.EPN_STATS_REFRESH_TOKEN,
    EPN_STATS_KEY: secrets.EPN_STATS_KEY,
    EPN_STATS_URL: `${sandbox}/epn-stats`,
    EPN_STATS_OAUTH_URL: `${sandbox}/epn-stats`,

    ADMIN_API_KEY: secrets.ADMIN_API_KEY,
    ADMIN_ENCRYPTION_KEY: secrets.ADMIN_ENCRYPTION_KEY,
    PANELS: JSON.stringify({ [SANDBOX_SERVER]: panel }),
    RECEIVER_HEALTH_URLS: healthUrls.map((port) => `http://127.0.0.1:${port}/health`).join(','),

    LEDGER_API_TOKEN: secrets.LEDGER_API_TOKEN,
    LEDGER_URL: `http://127.0.0.1:${ports.LEDGER_PORT}`,
    LEDGER_USER_API_TOKEN: secrets.LEDGER_USER_API_TOKEN,

    SMTP_URL: `smtp://127.0.0.1:${ports.MAIL_PORT}`,
    ALERT_EMAIL: 'operator@example.com',
    ALERT_FROM: 'Kopeck <kopeck@example.com>',
  };
}

/** All of them: `"provider":"tbank"` works in a request without any setting. */
function acquirers(sandbox: string, secrets: Secrets): Record<string, string> {
  return {
    SBP_PROVIDER: 'raiffeisen',
    RAIFFEISEN_URL: `${sandbox}/raiffeisen/api`,
    RAIFFEISEN_SECRET_KEY: secrets.RAIFFEISEN_SECRET_KEY,
    RAIFFEISEN_SBP_MERCHANT_ID: 'MA0000000552',
    TBANK_URL: `${sandbox}/tbank/v2`,
    TBANK_TERMINAL_KEY: 'SandboxDEMO',
    TBANK_PASSWORD: secrets.TBANK_PASSWORD,
    YOOKASSA_URL: `${sandbox}/yookassa/v3`,
    YOOKASSA_SHOP_ID: '100500',
    YOOKASSA_SECRET_KEY: secrets.YOOKASSA_SECRET_KEY,
    TOCHKA_URL: `${sandbox}/tochka/uapi`,
    TOCHKA_KEYS_URL: `${sandbox}/tochka/keys`,
    TOCHKA_TOKEN: secrets.TOCHKA_TOKEN,
    TOCHKA_MERCHANT_ID: 'MF0000000001',
    TOCHKA_ACCOUNT_ID: '40802810802000000008/044525104',
    TOCHKA_CUSTOMER_CODE: '300000092',
    BRIDGE_URL: `${sandbox}/bridge`,
    BRIDGE_TOKEN: secrets.BRIDGE_TOKEN,
    CARD_NUMBER: '2200000000000053',
    CARD_OWNER: 'IVAN IVANOV',
  };
}

function stringsOf(ports: Settings['ports']): Record<string, string> {
  return Object.fromEntries(Object.entries(ports).map(([key, port]) => [key, String(port)]));
}
