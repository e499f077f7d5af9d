/** What a rig is configured with beside its own secrets, so that nothing secret is left unset. Invented. */
export const EVERYTHING = {
  TBANK_TERMINAL_KEY: '1700000000001DEMO',
  TBANK_PASSWORD: 'canary-tbank-password',
  YOOKASSA_SHOP_ID: '100001',
  YOOKASSA_SECRET_KEY: 'test_canary-yookassa-0123456789abcdef0123456',
  TOCHKA_TOKEN: 'canary-tochka-token-0123456789abcdef',
  TOCHKA_MERCHANT_ID: 'MA0000000002',
  TOCHKA_ACCOUNT_ID: '40702810900000000001/044525104',
  TOCHKA_CUSTOMER_CODE: '300000001',
  BRIDGE_TOKEN: 'canary-bridge-token-0123456789abcdef',
  CARD_NUMBER: '2200000000000053',
  CARD_OWNER: 'KANAREYKIN IVAN',
  TELEGRAM_FORWARD_SECRET: 'canary_Forward-0123456789abcdef0123',
  LEDGER_USER_API_TOKEN: 'canary-user-token-0123456789abcdef0123',
  SVIX_SECRETS: 'epn:whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LTAx',
  AFFILIATE_TOKENS: 'admitad:canary-admitad-token-0123456789abcdef',
  AFFILIATE_NETWORKS_DIR: new URL('../../services/epn/networks', import.meta.url).pathname,
  EPN_STATS_CLIENT_ID: 'kopeck-of-the-rig',
  EPN_STATS_CLIENT_SECRET: 'canary-epn-client-0123456789abcdef',
  EPN_STATS_REFRESH_TOKEN: 'canary-epn-refresh-0123456789abcdef',
  EPN_STATS_KEY: 'ca9a12c0ffee'.repeat(6).slice(0, 64),
  ADMIN_ENCRYPTION_KEY: 'canary-encryption-key-0123456789abcdef0123',
  FULFILMENT_SECRET: 'whsec_Y2FuYXJ5LWZ1bGZpbG1lbnQtY2FuYXJ5LTAwMDE=',
} as const;

/** Every address that something is asked at which the rig has no double for: all of it is this one. */
export function allAt(url: string): Readonly<Record<string, string>> {
  return {
    TBANK_URL: url,
    YOOKASSA_URL: url,
    TOCHKA_URL: url,
    TOCHKA_KEYS_URL: `${url}/keys`,
    BRIDGE_URL: url,
    CRYPTOBOT_API_URL: url,
    CRYPTOBOT_TESTNET_API_URL: url,
    TELEGRAM_API_URL: url,
    TELEGRAM_FORWARD_URL: url,
    EPN_STATS_URL: url,
    EPN_STATS_OAUTH_URL: url,
    FULFILMENT_URL: url,
  };
}
