import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { writePrivateEnv } from './env-file.ts';

const hex = (): string => randomBytes(24).toString('hex');

/** Of AES-256. */
const aesKey = (): string => randomBytes(32).toString('hex');

/** As the partner spells it: a number, a colon, 35 letters and digits. */
const token = (): string => {
  const letters = randomBytes(64)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '');
  return `${randomInt(100_000, 1_000_000)}:${letters.slice(0, 35)}`;
};

/** Whatever must be unguessable and the same at the next start, and how it is made. */
const SECRETS = {
  WEBHOOK_API_TOKEN: hex,
  RAIFFEISEN_SECRET_KEY: hex,
  TBANK_PASSWORD: hex,
  YOOKASSA_SECRET_KEY: hex,
  TOCHKA_TOKEN: hex,
  BRIDGE_TOKEN: hex,
  CRYPTOBOT_TOKEN: token,
  CRYPTOBOT_TESTNET_TOKEN: token,
  TELEGRAM_BOT_TOKEN: token,
  TELEGRAM_WEBHOOK_SECRET: hex,
  CRYPTO_API_TOKEN: hex,
  EPN_SECRET_TOKEN: hex,
  EPN_STATS_REFRESH_TOKEN: hex,
  EPN_STATS_KEY: aesKey,
  ADMIN_API_KEY: hex,
  ADMIN_ENCRYPTION_KEY: hex,
  PANEL_TOKEN: hex,
  LEDGER_API_TOKEN: hex,
  LEDGER_USER_API_TOKEN: hex,
  MARIADB_ROOT_PASSWORD: hex,
  MARIADB_MIGRATE_PASSWORD: hex,
  MARIADB_SBP_PASSWORD: hex,
  MARIADB_ADMIN_PASSWORD: hex,
  MARIADB_LEDGER_PASSWORD: hex,
  MARIADB_COURIER_PASSWORD: hex,
  MARIADB_READONLY_PASSWORD: hex,
  REDIS_PASSWORD: hex,
} as const satisfies Record<string, () => string>;

export type SecretKey = keyof typeof SECRETS;
export type Secrets = Readonly<Record<SecretKey, string>>;

/** Those of an earlier start, and new ones where there are none yet. */
export function keepSecrets(home: string): Secrets {
  const file = join(home, 'secrets.env');
  const known = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  const secrets = Object.fromEntries(
    Object.entries(SECRETS).map(([key, make]) => [key, known[key] || make()]),
  ) as Record<SecretKey, string>;
  writePrivateEnv(file, secrets);
  return secrets;
}
