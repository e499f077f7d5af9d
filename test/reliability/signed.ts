import { createHash, createHmac, sign, type KeyObject } from 'node:crypto';
import { sign as signInitData } from '../../services/crypto/src/balance/init-data.ts';
import { EVERYTHING } from '../rig/everything.ts';
import { fixture } from '../rig/partners.ts';
import type { Name } from '../rig/rig.ts';
import { SECRETS } from '../rig/secrets.ts';

/** A partner's request that proves who sent it, and which of its bytes the proof is about. */
export interface SignedRequest {
  readonly name: string;
  readonly service: Name;
  /** Makes no event: its order is nobody's. */
  readonly isAboutNothing?: boolean;
  readonly parts: readonly SignedPart[];
  /** What it is answered as it is: 404 when its path leads to nothing, 400 when it asks for nothing. */
  readonly taken: 200 | 400 | 404;
  /** What it is answered when it is not as it was. */
  readonly refused: readonly number[];
  /** The request, with these bytes in the place of the parts. */
  readonly build: (values: ReadonlyMap<string, Buffer>) => HttpRequest;
}

export interface SignedPart {
  readonly name: string;
  readonly bytes: Buffer;
  /** Writes the same in another way: hex digits have two cases, base64 has bits that say nothing. */
  readonly isSame?: (bytes: Buffer) => boolean;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

/** Beside everything that a rig can be configured with: what these are signed with. */
export const SIGNED_ENV = {
  ...EVERYTHING,
  SVIX_SECRETS: 'epn:whsec_cGF5bWVudC1pbnRha2Utc3VpdGUtdGVzdC1rZXktMDE=',
  TBANK_TERMINAL_KEY: 'MutationDEMO',
  TBANK_PASSWORD: 'terminal-password-of-the-rig-0123456789',
} as const;

/** Every fixture that is JSON: what is signed is proved, whether or not it makes sense. */
const CRYPTOBOT = [
  'cb-invoice-paid-crypto.json',
  'cb-invoice-paid-crypto-redelivery.json',
  'cb-invoice-paid-fiat-swap.json',
  'cb-v1-minimal.json',
  'cb-trap-reserialise.json',
  'cb-malformed-payload-null.json',
  'cb-malformed-status-active.json',
  'cb-unknown-update-type.json',
  'cb-testnet-jet.json',
];
const JSON_TYPE = { 'content-type': 'application/json' };

/** `bank`: whose public half the rig is told to be Tochka's. */
export function signedRequests(now: Date, bank: KeyObject): readonly SignedRequest[] {
  const [, admitad = ''] = EVERYTHING.AFFILIATE_TOKENS.split(':');
  return [
    ...CRYPTOBOT.map(cryptobot),
    telegram(),
    epnToken(),
    network(admitad),
    svix(now),
    raiffeisen(),
    tbank(),
    tochka(bank),
    bridge(),
    initData(now),
    apiKey('admin', '/admin/update_configs/jobs/nobody', SECRETS.ADMIN_API_KEY),
    apiKey('ledger', '/api/ledger/events/nobody', SECRETS.LEDGER_API_TOKEN),
    apiKey('sbp', '/api/status/nobody', SECRETS.WEBHOOK_API_TOKEN),
    apiKey('ledger', '/api/ledger/balances/user:1', EVERYTHING.LEDGER_USER_API_TOKEN, 200),
    apiKey('crypto', '/api/crypto/invoice', SECRETS.CRYPTO_API_TOKEN, 400),
  ];
}

/** The whole body, as it comes. */
function cryptobot(file: string): SignedRequest {
  const body = fixture(file);
  const isTest = file.includes('testnet');
  const token = isTest ? SECRETS.CRYPTOBOT_TESTNET_TOKEN : SECRETS.CRYPTOBOT_TOKEN;
  const key = createHash('sha256').update(token).digest();
  return {
    name: file,
    service: 'crypto',
    isAboutNothing: file.includes('unknown'),
    taken: 200,
    refused: [401],
    parts: [{ name: 'body', bytes: body }, hex(createHmac('sha256', key).update(body).digest())],
    build: (values) => ({
      method: 'POST',
      path: '/webhook/cryptobot',
      headers: { ...JSON_TYPE, 'crypto-pay-api-signature': textOf(values, 'signature') },
      body: values.get('body') ?? null,
    }),
  };
}

/** A secret of the header; the body is not signed. */
function telegram(): SignedRequest {
  return {
    name: 'tg-successful-payment.json',
    service: 'crypto',
    taken: 200,
    refused: [401],
    parts: [{ name: 'secret', bytes: Buffer.from(SECRETS.TELEGRAM_WEBHOOK_SECRET) }],
    build: (values) => ({
      method: 'POST',
      path: '/webhook/telegram',
      headers: { ...JSON_TYPE, 'x-telegram-bot-api-secret-token': textOf(values, 'secret') },
      body: fixture('tg-successful-payment.json'),
    }),
  };
}

/** A secret of the path. */
function epnToken(): SignedRequest {
  const query = 'click_id=u-1&order_number=1&uniq_id=1&order_status=waiting&currency=RUB';
  return {
    name: 'postback',
    service: 'epn',
    taken: 200,
    refused: [404],
    parts: [{ name: 'token', bytes: Buffer.from(SECRETS.EPN_SECRET_TOKEN) }],
    build: (values) => ({
      method: 'GET',
      path: `/webhook/${textOf(values, 'token')}?${query}&commission_fee=1.50`,
      headers: {},
      body: null,
    }),
  };
}

/** Of another network than EPN, in the path, too. */
function network(secret: string): SignedRequest {
  const query =
    'subid=u-3&order_id=3&admitad_id=3&payment_status=open&payment_sum=3.50&currency=RUB';
  return {
    name: 'postback of a network',
    service: 'epn',
    taken: 200,
    refused: [404],
    parts: [{ name: 'token', bytes: Buffer.from(secret) }],
    build: (values) => ({
      method: 'GET',
      path: `/webhook/admitad/${textOf(values, 'token')}?${query}`,
      headers: {},
      body: null,
    }),
  };
}

/** Id, time and body, joined by dots. */
function svix(now: Date): SignedRequest {
  const id = Buffer.from('msg_2mutation');
  const timestamp = Buffer.from(String(Math.floor(now.getTime() / 1_000)));
  const query = '?click_id=u-2&order_number=2&uniq_id=2&order_status=waiting&commission_fee=2.50';
  const body = Buffer.from(JSON.stringify({ type: 'affiliate.postback', data: { query } }));
  const [, secret = ''] = SIGNED_ENV.SVIX_SECRETS.split('whsec_');
  const proof = createHmac('sha256', Buffer.from(secret, 'base64'))
    .update(Buffer.concat([id, Buffer.from('.'), timestamp, Buffer.from('.'), body]))
    .digest();
  return {
    name: 'svix',
    service: 'epn',
    taken: 200,
    refused: [400, 401],
    parts: [
      { name: 'id', bytes: id },
      { name: 'timestamp', bytes: timestamp },
      { name: 'body', bytes: body },
      {
        name: 'signature',
        bytes: Buffer.from(`v1,${proof.toString('base64')}`),
        isSame: (bytes) =>
          bytes.toString('latin1').startsWith('v1,') &&
          Buffer.from(bytes.subarray(3).toString('latin1'), 'base64').equals(proof),
      },
    ],
    build: (values) => ({
      method: 'POST',
      path: '/svix/epn',
      headers: {
        ...JSON_TYPE,
        'svix-id': textOf(values, 'id'),
        'svix-timestamp': textOf(values, 'timestamp'),
        'svix-signature': textOf(values, 'signature'),
      },
      body: values.get('body') ?? null,
    }),
  };
}

/** Five fields of the body, each as it is written. */
function raiffeisen(): SignedRequest {
  const fields = {
    amount: '1023.50',
    sbpMerchantId: SECRETS.RAIFFEISEN_SBP_MERCHANT_ID,
    order: 'nobodys-order-01',
    paymentStatus: 'SUCCESS',
    transactionDate: '2026-10-05T12:35:02.266Z',
  };
  const text = Object.values(fields).join('|');
  return {
    name: 'raiffeisen',
    service: 'sbp',
    isAboutNothing: true,
    taken: 200,
    refused: [400, 401],
    parts: [
      ...fieldParts(fields),
      hex(createHmac('sha256', SECRETS.RAIFFEISEN_SECRET_KEY).update(text).digest()),
    ],
    build: (values) => ({
      method: 'POST',
      path: '/webhook/sbp/raiffeisen',
      headers: { ...JSON_TYPE, 'x-api-signature-sha256': textOf(values, 'signature') },
      body: objectOf(values, Object.keys(fields), ['amount']),
    }),
  };
}

/** All fields of the root, and the password, in the order of their names. */
function tbank(): SignedRequest {
  const fields = {
    Amount: '102350',
    OrderId: 'nobodys-order-02',
    PaymentId: '4000000001',
    Status: 'CONFIRMED',
    Success: 'true',
    TerminalKey: SIGNED_ENV.TBANK_TERMINAL_KEY,
  };
  const all = Object.entries({ ...fields, Password: SIGNED_ENV.TBANK_PASSWORD });
  const text = all.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  const token = createHash('sha256').update(text.join('')).digest();
  return {
    name: 'tbank',
    service: 'sbp',
    isAboutNothing: true,
    taken: 200,
    refused: [400, 401],
    parts: [...fieldParts(fields), hex(token, 'Token')],
    build: (values) => ({
      method: 'POST',
      path: '/webhook/sbp/tbank',
      headers: JSON_TYPE,
      body: objectOf(values, [...Object.keys(fields), 'Token'], ['Amount', 'Success']),
    }),
  };
}

/** A bare JWT is the whole body. */
function tochka(bank: KeyObject): SignedRequest {
  const encode = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const claims = { webhookType: 'incomingSbpPayment', qrcId: 'AS10000NOBODYSCODE00000000000000' };
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  const proof = sign('RSA-SHA256', Buffer.from(text), bank);
  return {
    name: 'tochka',
    service: 'sbp',
    isAboutNothing: true,
    taken: 200,
    refused: [400, 401],
    parts: [
      {
        name: 'jwt',
        bytes: Buffer.from(`${text}.${proof.toString('base64url')}`),
        isSame(bytes) {
          const [header = '', payload = '', signature = '', ...more] = bytes
            .toString('latin1')
            .split('.');
          return (
            `${header}.${payload}` === text &&
            more.length === 0 &&
            /^[\w-]+$/.test(signature) &&
            Buffer.from(signature, 'base64url').equals(proof)
          );
        },
      },
    ],
    build: (values) => ({
      method: 'POST',
      path: '/webhook/sbp/tochka',
      headers: { 'content-type': 'text/plain' },
      body: values.get('jwt') ?? null,
    }),
  };
}

/** The token of the operator's own upstream; the body only says where to look. */
function bridge(): SignedRequest {
  return {
    name: 'bridge',
    service: 'sbp',
    isAboutNothing: true,
    taken: 200,
    refused: [401],
    parts: [{ name: 'token', bytes: Buffer.from(EVERYTHING.BRIDGE_TOKEN) }],
    build: (values) => ({
      method: 'POST',
      path: '/webhook/sbp/bridge',
      headers: { ...JSON_TYPE, authorization: `Bearer ${textOf(values, 'token')}` },
      body: Buffer.from('{"orderId":"nobodys-order-03"}'),
    }),
  };
}

/** What Telegram hands to a Mini App: every field is signed. */
function initData(now: Date): SignedRequest {
  const fields = [
    ['auth_date', String(Math.floor(now.getTime() / 1_000))],
    ['query_id', 'AAH-mutation'],
    ['user', '{"id":5123456789,"first_name":"Maria"}'],
  ] as const;
  const hash = signInitData(fields, SECRETS.TELEGRAM_BOT_TOKEN).toString('hex');
  const text = new URLSearchParams({ ...Object.fromEntries(fields), hash });
  const read = (bytes: Buffer): string => {
    const values = Object.fromEntries(new URLSearchParams(bytes.toString('latin1')));
    return JSON.stringify({ ...values, hash: values['hash']?.toLowerCase() });
  };
  return {
    name: 'initData',
    service: 'crypto',
    isAboutNothing: true,
    taken: 200,
    refused: [401],
    parts: [
      {
        name: 'initData',
        bytes: Buffer.from(text.toString()),
        isSame: (bytes) => read(bytes) === read(Buffer.from(text.toString())),
      },
    ],
    build: (values) => ({
      method: 'GET',
      path: '/api/balance',
      headers: { authorization: `tma ${textOf(values, 'initData')}` },
      body: null,
    }),
  };
}

/** Where the key alone is looked at: nothing, or hardly anything, is in the answer. */
function apiKey(
  service: Name,
  path: string,
  key: string,
  taken: SignedRequest['taken'] = 404,
): SignedRequest {
  return {
    name: path,
    service,
    isAboutNothing: true,
    taken,
    // 429: whoever guesses is slowed down.
    refused: [401, 429],
    parts: [{ name: 'key', bytes: Buffer.from(key) }],
    build: (values) => ({
      method: taken === 400 ? 'POST' : 'GET',
      path,
      headers: { ...JSON_TYPE, authorization: `Bearer ${textOf(values, 'key')}` },
      body: taken === 400 ? Buffer.from('{}') : null,
    }),
  };
}

function hex(digest: Buffer, name = 'signature'): SignedPart {
  const text = digest.toString('hex');
  return {
    name,
    bytes: Buffer.from(text),
    isSame: (bytes) => bytes.toString('latin1').toLowerCase() === text,
  };
}

function fieldParts(fields: Readonly<Record<string, string>>): readonly SignedPart[] {
  return Object.entries(fields).map(([name, value]) => ({ name, bytes: Buffer.from(value) }));
}

/** Bytes may be no text any more, so the object is put together from bytes. */
function objectOf(
  values: ReadonlyMap<string, Buffer>,
  names: readonly string[],
  unquoted: readonly string[],
): Buffer {
  const members = names.map((name, at) => {
    const quote = unquoted.includes(name) ? '' : '"';
    const start = Buffer.from(`${at === 0 ? '{' : ','}"${name}":${quote}`);
    return Buffer.concat([start, values.get(name) ?? Buffer.of(), Buffer.from(quote)]);
  });
  return Buffer.concat([...members, Buffer.from('}')]);
}

function textOf(values: ReadonlyMap<string, Buffer>, name: string): string {
  return values.get(name)?.toString('latin1') ?? '';
}
