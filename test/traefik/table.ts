export type Backend = 'sbp' | 'crypto' | 'epn' | 'admin' | 'ledger';

/** A GET without credentials: who gets it, and the status of the answer. */
export interface Way {
  readonly path: string;
  readonly to: Backend;
  readonly status: number;
}

export const UNKNOWN_PATH = '/no-such-path';
/** The right shape, and nobody's secret. */
export const WRONG_TOKEN = 'w'.repeat(40);

const TO: Readonly<Record<Exclude<Backend, 'epn'>, readonly (readonly [string, number])[]>> = {
  crypto: [
    ['/webhook/cryptobot', 405],
    ['/webhook/%63ryptobot', 405],
    ['/webhook/telegram', 405],
    ['/webhook/telegram?x=1', 405],
    ['/api/crypto/invoice', 405],
    ['/api/crypto/reconcile', 405],
    ['/api/stars/invoice', 405],
    ['/api/stars/refund', 405],
    ['/api/balance', 401],
    ['/api/balance/ticket', 405],
    ['/api/balance/stream', 401],
  ],
  sbp: [
    ['/api/payment', 405],
    ['/api/payment/order-1/refund', 405],
    ['/api/payment/order-1/cancel', 405],
    ['/api/status/order-1', 401],
    ['/api/status/%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7', 401],
    ['/api/health', 200],
    ['/pay/no-such-token', 404],
    ['/pay/no-such-token/events', 404],
    ['/pay/no-such-token/qr.png', 404],
    ['/webhook/sbp/raiffeisen', 405],
    ['/webhook/sbp/tbank', 405],
  ],
  admin: [
    ['/health', 200],
    ['/sub/no-such-token', 404],
    ['/admin', 404],
    ['/admin/', 404],
    ['/admin/update_configs', 405],
    ['/admin/update_configs/1', 405],
    ['/admin/servers', 401],
  ],
  ledger: [
    ['/api/ledger/balances/user:1', 401],
    ['/api/ledger/subscriptions/user:1', 401],
    ['/api/ledger/events/some-event', 401],
  ],
};

/** Near-misses, and what scanners try. All of them get the same bytes, as a wrong secret does. */
const NOBODYS = [
  UNKNOWN_PATH,
  '/',
  `/webhook/${WRONG_TOKEN}`,
  `/webhook/admitad/${WRONG_TOKEN}`,
  '/webhook/short',
  '/webhook',
  '/webhook/',
  '/webhook/cryptobot/',
  '/webhook/cryptobot2',
  '/webhook/Cryptobot',
  '/webhook/cryptobot%20',
  '/webhook/telegramm',
  '/webhook/sbp',
  '/webhook/sbp/',
  '/webhook/sbp/raiffeisen/more',
  '/webhooks/cryptobot',
  '/svix/nobody',
  '/svix',
  '/api',
  '/api/',
  '/api/payment/',
  '/api/payments',
  '/api/payment/order-1',
  '/api/payment/order-1/refunds',
  '/api/status',
  '/api/status/',
  '/api/status/a/b',
  '/API/health',
  '/api/healthz',
  '/api/crypto',
  '/api/balances',
  '/api/ledger',
  '/api/ledger/balances',
  '/health/',
  '/healthz',
  '/Health',
  '/pay',
  '/pay/',
  '/payment-form',
  '/pay/no-such-token/more',
  '/sub/',
  '/subscribe',
  '/administrator',
  '/admin-panel',
  '/Admin',
  '/metrics',
  '/ready',
  '/ping',
  '/dashboard/',
  '/api/rawdata',
  '/.env',
  '/.git/config',
  '/favicon.ico',
] as const;

export const WAYS: readonly Way[] = [
  ...Object.entries(TO).flatMap(([to, ways]) =>
    ways.map(([path, status]) => ({ path, to: to as Backend, status })),
  ),
  ...NOBODYS.map((path) => ({ path, to: 'epn' as const, status: 404 })),
];
