import { randomBytes } from 'node:crypto';
import { PANEL_TOKEN, SECRETS } from '../rig/secrets.ts';

const REDIS_USERS = ['SBP', 'CRYPTO', 'EPN', 'ADMIN', 'LEDGER', 'COURIER', 'CLI'];
const MARIADB_USERS = ['ROOT', 'MIGRATE', 'SBP', 'ADMIN', 'LEDGER', 'COURIER'];
const PARTNERS = 'http://partners:9100';

export interface Ports {
  readonly http: number;
  readonly https: number;
  readonly sandbox: number;
}

/** .env of a stack whose partners are doubles in the container `partners`. Every secret is another. */
export function settingsFor(ports: Ports, certsDir: string): Record<string, string> {
  const { HOST: _loopback, ...secrets } = SECRETS;
  const password = (): string => randomBytes(24).toString('hex');
  return {
    ...secrets,
    COMPOSE_PROFILES: 'bundled-db',
    WEBHOOK_DOMAIN: 'kopeck.test',
    TLS_MODE: 'selfsigned',
    CERTS_DIR: certsDir,
    BIND_ADDRESS: '127.0.0.1',
    HTTP_PORT: String(ports.http),
    HTTPS_PORT: String(ports.https),
    SBP_PUBLIC_URL: `https://kopeck.test:${ports.https}`,
    RAIFFEISEN_URL: `${PARTNERS}/raiffeisen/api`,
    CRYPTOBOT_API_URL: `${PARTNERS}/crypto-pay/api`,
    CRYPTOBOT_TESTNET_API_URL: `${PARTNERS}/crypto-pay/api`,
    TELEGRAM_API_URL: `${PARTNERS}/telegram`,
    PANELS: JSON.stringify({
      de1: { kind: 'sandbox', url: `${PARTNERS}/panel`, token: PANEL_TOKEN },
    }),
    SMTP_URL: 'smtp://partners:9125',
    CRYPTO_API_TOKEN: password(),
    LEDGER_USER_API_TOKEN: password(),
    ADMIN_ENCRYPTION_KEY: password(),
    ...Object.fromEntries(REDIS_USERS.map((user) => [`REDIS_${user}_PASSWORD`, password()])),
    ...Object.fromEntries(MARIADB_USERS.map((user) => [`MARIADB_${user}_PASSWORD`, password()])),
  };
}

/** As Compose reads it: in single quotes nothing is filled in. */
export function envText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}='${value.replaceAll("'", "\\'")}'\n`)
    .join('');
}
