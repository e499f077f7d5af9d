import { gzipSync } from 'node:zlib';
import type { Random } from '../chaos/random.ts';
import { EVERYTHING } from '../rig/everything.ts';
import { PANEL_TOKEN, SECRETS } from '../rig/secrets.ts';
import type { Name } from '../rig/rig.ts';

export interface NastyRequest {
  readonly service: Name;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer | null;
}

export interface Route {
  readonly service: Name;
  readonly path: string;
  readonly method: string;
  readonly headers?: Record<string, string>;
  /** One that makes sense; unset: {}. */
  readonly body?: string;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const SHOP = bearer(SECRETS.WEBHOOK_API_TOKEN);
const OPERATOR = bearer(SECRETS.ADMIN_API_KEY);
const READER = bearer(SECRETS.LEDGER_API_TOKEN);
const SELLER = bearer(SECRETS.CRYPTO_API_TOKEN);
const BRIDGE = bearer(EVERYTHING.BRIDGE_TOKEN);
const READERS = bearer(EVERYTHING.LEDGER_USER_API_TOKEN);
const PERSON = {
  authorization: `Basic ${Buffer.from(`me:${SECRETS.ADMIN_API_KEY}`).toString('base64')}`,
};
const UPDATE = { 'x-telegram-bot-api-secret-token': SECRETS.TELEGRAM_WEBHOOK_SECRET };
const TOKEN = SECRETS.EPN_SECRET_TOKEN;
const [, ADMITAD = ''] = EVERYTHING.AFFILIATE_TOKENS.split(':');

/** Every door: with the key where there is one, since what lies behind it must bear nonsense too. */
export const ROUTES: readonly [Route, ...Route[]] = [
  { service: 'sbp', method: 'POST', path: '/api/payment', headers: SHOP },
  { service: 'sbp', method: 'POST', path: '/api/payment/order-1/refund', headers: SHOP },
  { service: 'sbp', method: 'POST', path: '/api/payment/order-1/cancel', headers: SHOP },
  { service: 'sbp', method: 'GET', path: '/api/status/order-1', headers: SHOP },
  { service: 'sbp', method: 'GET', path: '/pay/0123456789abcdef0123456789abcdef' },
  { service: 'sbp', method: 'POST', path: '/webhook/sbp/raiffeisen' },
  { service: 'sbp', method: 'POST', path: '/webhook/sbp/tbank' },
  { service: 'sbp', method: 'POST', path: '/webhook/sbp/yookassa' },
  { service: 'sbp', method: 'POST', path: '/webhook/sbp/tochka' },
  { service: 'sbp', method: 'POST', path: '/webhook/sbp/bridge', headers: BRIDGE },
  { service: 'crypto', method: 'POST', path: '/webhook/cryptobot' },
  { service: 'crypto', method: 'POST', path: '/webhook/telegram', headers: UPDATE },
  {
    service: 'crypto',
    method: 'POST',
    path: '/api/crypto/invoice',
    headers: SELLER,
    body: '{"user":"1","ndn":"100","asset":"USDT","amount":"5"}',
  },
  {
    service: 'crypto',
    method: 'POST',
    path: '/api/stars/invoice',
    headers: SELLER,
    body: '{"user":"1","ndn":"100"}',
  },
  { service: 'crypto', method: 'POST', path: '/api/stars/refund', headers: SELLER },
  { service: 'crypto', method: 'GET', path: '/api/balance' },
  { service: 'crypto', method: 'POST', path: '/api/balance/ticket' },
  { service: 'epn', method: 'GET', path: `/webhook/${TOKEN}?click_id=1&order_number=2` },
  { service: 'epn', method: 'POST', path: `/webhook/${TOKEN}` },
  { service: 'epn', method: 'GET', path: '/webhook/short' },
  { service: 'epn', method: 'GET', path: `/webhook/admitad/${ADMITAD}?subid=1` },
  { service: 'epn', method: 'POST', path: '/svix/epn' },
  { service: 'admin', method: 'POST', path: '/admin/update_configs/1', headers: OPERATOR },
  { service: 'admin', method: 'POST', path: '/admin/purchases', headers: OPERATOR },
  { service: 'admin', method: 'PATCH', path: '/admin/purchases/1', headers: OPERATOR },
  { service: 'admin', method: 'POST', path: '/admin/servers', headers: OPERATOR },
  { service: 'admin', method: 'GET', path: '/admin/update_configs/jobs/1', headers: OPERATOR },
  { service: 'admin', method: 'GET', path: '/admin/queues', headers: PERSON },
  { service: 'admin', method: 'GET', path: '/admin/queues/api/queues', headers: PERSON },
  { service: 'admin', method: 'GET', path: '/sub/0123456789abcdef0123456789abcdef' },
  { service: 'ledger', method: 'GET', path: '/api/ledger/balances/user:1', headers: READER },
  { service: 'ledger', method: 'GET', path: '/api/ledger/subscriptions/user:1', headers: READERS },
  { service: 'ledger', method: 'GET', path: '/api/ledger/events/telegram.x', headers: READER },
];

/** A request as no partner would send it, and as every scanner does. */
export function nastyRequest(random: Random): NastyRequest {
  const route = random.pick(ROUTES);
  const { type, body } = random.pick(BODIES)(random);
  const method = random.part() < 0.9 ? route.method : random.pick(METHODS);
  const hasBody = body !== null && method !== 'GET' && method !== 'HEAD';
  const path = random.part() < 0.7 ? route.path : random.pick(PATHS)(route.path, random);
  return {
    service: route.service,
    method,
    path,
    headers: {
      ...(hasBody ? { 'content-type': type } : {}),
      // Each comes from somewhere else, so that nobody is locked out for the wrong keys of others.
      'x-forwarded-for': `198.18.${random.whole(0, 255)}.${random.whole(1, 254)}`,
      ...route.headers,
      ...(random.part() < 0.3 ? random.pick(HEADERS)(random) : {}),
    },
    body: hasBody ? body : null,
  };
}

/** The same door as it is meant to be used. */
export function wellFormed({ service, method, path, headers, body = '{}' }: Route): NastyRequest {
  const isPost = method !== 'GET';
  return {
    service,
    method,
    path,
    headers: { ...(isPost ? { 'content-type': 'application/json' } : {}), ...headers },
    body: isPost ? Buffer.from(body) : null,
  };
}

const METHODS = ['PUT', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PATCH', 'POST', 'GET'] as const;

type MakeBody = (random: Random) => { readonly type: string; readonly body: Buffer | null };
const json = (text: string) => ({ type: 'application/json', body: Buffer.from(text) });
const form = (text: string) => ({
  type: 'application/x-www-form-urlencoded',
  body: Buffer.from(text),
});
const bytes = (random: Random, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.whole(0, most) }, () => random.whole(0, 255)));

const HUGE = [
  '1e999999',
  '9'.repeat(400),
  '-0',
  '1e-400',
  '0.1e1',
  '1E5',
  'NaN',
  '1_000',
  '٣',
] as const;
const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'amount',
  'orderId',
  'id',
  'payload',
] as const;
const FIELDS = [
  'click_id',
  'uniq_id',
  'order_status',
  'commission_fee',
  '__proto__',
  'a[b][c]',
] as const;

const BODIES: readonly [MakeBody, ...MakeBody[]] = [
  () => ({ type: 'application/json', body: null }),
  (random) => ({ type: 'application/json', body: bytes(random, 300) }),
  (random) => ({ type: 'application/octet-stream', body: bytes(random, 3_000) }),
  (random) => json('['.repeat(random.whole(1, 30_000))),
  (random) => json(`${'{"a":'.repeat(random.whole(1, 9_000))}1${'}'.repeat(3)}`),
  (random) => json(`{"amount":${random.pick(HUGE)},"orderId":"o-${random.whole(1, 9)}"}`),
  (random) => json(`{"${random.pick(KEYS)}":{"${random.pick(KEYS)}":${random.pick(HUGE)}}}`),
  (random) => json(`{"__proto__":{"amount":1},"amount":10,"orderId":"p-${random.whole(1, 9)}"}`),
  (random) => json(`{"amount":"${'1'.repeat(random.whole(1, 2_000))}","orderId":"\\u0000\\ud800"}`),
  (random) =>
    json(
      `{"update_id":${random.whole(1, 9)},"message":${random.pick(['null', '[]', '{"successful_payment":{}}', '{"successful_payment":[]}', '{"refunded_payment":{"currency":7}}'])}}`,
    ),
  () => ({
    type: 'application/json',
    body: Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
  }),
  () => ({ type: 'application/json; charset=utf-7', body: Buffer.from('{}') }),
  (random) => ({
    type: 'application/json',
    body: Buffer.alloc(random.whole(60_000, 80_000), 0x20),
  }),
  (random) =>
    form(`${random.pick(FIELDS)}=${'%'.repeat(random.whole(0, 5))}&${random.pick(FIELDS)}=%00%ff`),
  (random) => form(`${random.pick(FIELDS)}=1&`.repeat(random.whole(1, 2_000))),
  () => ({ type: 'multipart/form-data; boundary=x', body: Buffer.from('--x\r\n\r\n--x--') }),
  () => ({ type: 'application/json', body: gzipSync(Buffer.alloc(100_000)) }),
];

type MakePath = (path: string, random: Random) => string;
const PATHS: readonly [MakePath, ...MakePath[]] = [
  (path) => `/.${path}`,
  (path) => `/%2e%2e${path}`,
  (path) => `//${path}`,
  (path) => `${path}/`,
  (path) => `${path}%00`,
  (path) => `${path}%`,
  (path) => `${path}%zz`,
  (path) => path.replace('w', '%77').replace('a', '%61'),
  (path) => path.toUpperCase(),
  (path, random) =>
    `${path}${path.includes('?') ? '&' : '?'}${'x[]=1&'.repeat(random.whole(1, 1_000))}`,
  (path, random) => `${path}/${'a'.repeat(random.whole(1, 7_000))}`,
  (path) => `${path}?__proto__[a]=1&constructor=1&click_id=%ED%A0%80`,
  () => '/../../../../etc/passwd',
  () => '*',
  (path) => `http://elsewhere.test${path}`,
];

type MakeHeaders = (random: Random) => Record<string, string | string[]>;
const HEADERS: readonly [MakeHeaders, ...MakeHeaders[]] = [
  () => ({ authorization: ['Bearer a', 'Bearer b'] }),
  () => ({ authorization: `Bearer ${'x'.repeat(5_000)}` }),
  () => ({ authorization: 'Basic ////' }),
  () => ({ 'x-filler': 'y'.repeat(10_000) }),
  () => ({ 'x-forwarded-for': `${'1.2.3.4, '.repeat(500)}::1`, 'x-forwarded-proto': 'ftp' }),
  () => ({ 'content-encoding': 'gzip' }),
  () => ({ 'content-encoding': 'br' }),
  () => ({ 'crypto-pay-api-signature': 'zz'.repeat(64) }),
  () => ({ 'svix-id': '', 'svix-timestamp': '99999999999999999999', 'svix-signature': 'v1,' }),
  () => ({ 'x-request-id': `"><script>${PANEL_TOKEN.length}</script>` }),
  () => ({ 'if-none-match': `"${'e'.repeat(3_000)}"`, 'accept-language': '*;q=2, \u00ff;;' }),
  () => ({ cookie: 'a=b; '.repeat(300), expect: '100-continue' }),
  () => ({ range: 'bytes=0-0,-1,5-', origin: 'null' }),
];
