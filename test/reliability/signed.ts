import { createHash, createHmac } from 'node:crypto';
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
  /** What it is answered as it is: 404 when its path leads to nothing. */
  readonly taken: 200 | 404;
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

export const SIGNED_ENV = {
  SVIX_SECRETS: 'epn:whsec_cGF5bWVudC1pbnRha2Utc3VpdGUtdGVzdC1rZXktMDE=',
  TBANK_TERMINAL_KEY: 'MutationDEMO',
  TBANK_PASSWORD: 'terminal-password-of-the-rig-0123456789',
} as const;

const CRYPTOBOT = [
  'cb-invoice-paid-crypto.json',
  'cb-invoice-paid-fiat-swap.json',
  'cb-v1-minimal.json',
  'cb-trap-reserialise.json',
];
const JSON_TYPE = { 'content-type': 'application/json' };

export function signedRequests(now: Date): readonly SignedRequest[] {
  return [
    ...CRYPTOBOT.map(cryptobot),
    telegram(),
    epnToken(),
    svix(now),
    raiffeisen(),
    tbank(),
    apiKey('admin', '/admin/update_configs/jobs/nobody', SECRETS.ADMIN_API_KEY),
    apiKey('ledger', '/api/ledger/events/nobody', SECRETS.LEDGER_API_TOKEN),
    apiKey('sbp', '/api/status/nobody', SECRETS.WEBHOOK_API_TOKEN),
  ];
}

/** The whole body, as it comes. */
function cryptobot(file: string): SignedRequest {
  const body = fixture(file);
  const key = createHash('sha256').update(SECRETS.CRYPTOBOT_TOKEN).digest();
  return {
    name: file,
    service: 'crypto',
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

/** Of paths that lead to nothing, so that nothing is in the answer. */
function apiKey(service: Name, path: string, key: string): SignedRequest {
  return {
    name: path,
    service,
    isAboutNothing: true,
    taken: 404,
    // 429: whoever guesses is slowed down.
    refused: [401, 429],
    parts: [{ name: 'key', bytes: Buffer.from(key) }],
    build: (values) => ({
      method: 'GET',
      path,
      headers: { authorization: `Bearer ${textOf(values, 'key')}` },
      body: null,
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
