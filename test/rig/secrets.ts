/** Everything that the services of the rig are configured with, invented. */
export const SECRETS = {
  HOST: '127.0.0.1',
  LOG_LEVEL: 'info',
  WEBHOOK_API_TOKEN: 'shop-token-of-the-rig-0123456789abcdef',
  SBP_PROVIDER: 'raiffeisen',
  RAIFFEISEN_SECRET_KEY: 'bank-secret-of-the-rig-0123456789abcdef',
  RAIFFEISEN_SBP_MERCHANT_ID: 'MA0000000001',
  CRYPTOBOT_TOKEN: '31337:AAvectorTokenForUnitTestsOnly012345',
  CRYPTOBOT_TESTNET_TOKEN: '40400:AAtestnetTokenForUnitTestsOnly01234',
  TELEGRAM_BOT_TOKEN: '7000000001:AAbotTokenForUnitTestsOnly_0123456789',
  TELEGRAM_WEBHOOK_SECRET: 'test_Secret-123',
  CRYPTO_API_TOKEN: 'crypto-api-of-the-rig-0123456789abcdefgh',
  EPN_SECRET_TOKEN: 'epn-token-of-the-rig_0123456789abcdefgh',
  EPN_DEFAULT_CURRENCY: 'RUB',
  LEDGER_API_TOKEN: 'ledger-token-of-the-rig-0123456789abcdef',
  // Short, for processes that are killed; long enough to fetch fifty jobs from a Redis on a slow disk.
  LEDGER_LOCK_MS: '4000',
  LEDGER_STALLED_MS: '1000',
  ADMIN_API_KEY: 'admin-key-of-the-rig-0123456789abcdefghi',
  ALERT_EMAIL: 'operator@shop.test',
  // Shorter than the default, and longer than a machine with much to do keeps a server from answering.
  COURIER_GRACE_MS: '2000',
  COURIER_RETRY_MS: '100',
  NDN_PER_STAR: '10',
  REPORT_HOUR: 'off',
  PLANS: '{"pro-30":{"asset":"USDT","amount":"4.5","days":30}}',
} as const;

export const PANEL_TOKEN = 'panel-token-of-the-rig-0123456789abcdef';
export const REDIS_PASSWORD = 'redis-of-the-rig-0123456789abcdef';
export const MAIL_PASSWORD = 'mail-of-the-rig-0123456789abcdef';
