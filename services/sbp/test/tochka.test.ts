import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { keepKeys, keysOf, readTochkaCallback } from '../src/tochka/callback.ts';
import { refundStateOf, stateOf } from '../src/tochka/states.ts';

const OURS = generateKeyPairSync('rsa', { modulusLength: 2048 });
const OTHER = generateKeyPairSync('rsa', { modulusLength: 2048 });
const QRC = 'AD100004BAL7227F9BNP6KNE007J9B3K';
const CLAIMS = {
  operationId: '48232c9a',
  qrcId: QRC,
  amount: '0.33',
  webhookType: 'incomingSbpPayment',
};

const theirs = async (): Promise<readonly KeyObject[]> => [OURS.publicKey];

test('a callback of Tochka signed with its key tells the code', async () => {
  const hint = { attemptId: null, paymentId: QRC };
  expect(await read(jwt(CLAIMS))).toEqual({ ok: true, value: hint });
  expect(await read(`${jwt(CLAIMS)}\n`)).toEqual({ ok: true, value: hint });
});

test('one about nothing of ours is genuine all the same: the bank tries the address with it', async () => {
  expect(await read(jwt({ webhookType: 'incomingPayment' }))).toEqual({
    ok: true,
    value: { attemptId: null, paymentId: null },
  });
});

test.each([
  ['signed with another key', jwt(CLAIMS, { key: OTHER.privateKey })],
  ['that says it is not signed', jwt(CLAIMS, { alg: 'none' })],
  ['of another algorithm', jwt(CLAIMS, { alg: 'RS512' })],
  ['signed with the public key as a shared secret', hs256(CLAIMS)],
  ['with other claims', tampered()],
])('a callback %s is forged', async (_what, token) => {
  expect(await read(token)).toEqual({ ok: false, rejection: 'forged' });
});

test.each(['', '{}', 'a.b', 'a.b.c.d'])('a callback of %j is malformed', async (text) => {
  expect(await read(text)).toEqual({ ok: false, rejection: 'malformed' });
});

test('keys are kept for an hour, and fetched anew for a signature they do not fit, once a minute', async () => {
  let at = 0;
  let fetched = 0;
  let key = OTHER.publicKey;
  const keys = keepKeys(
    async () => {
      fetched += 1;
      return [key];
    },
    () => new Date(at),
  );
  const readWith = async () => (await readTochkaCallback(delivery(jwt(CLAIMS)), keys)).ok;

  expect(await readWith()).toBe(false);
  expect(await readWith()).toBe(false);
  expect(fetched).toBe(1);

  key = OURS.publicKey;
  at += 60_000;
  expect(await readWith()).toBe(true);
  expect(await readWith()).toBe(true);
  expect(fetched).toBe(2);
  at += 3_600_000;
  expect(await readWith()).toBe(true);
  expect(fetched).toBe(3);
});

test('one bare key and a set of them are read, and what is no RSA key is left out', () => {
  const jwk = OURS.publicKey.export({ format: 'jwk' });
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  expect(keysOf(jwk)).toHaveLength(1);
  expect(
    keysOf({ keys: [jwk, elliptic.export({ format: 'jwk' }), 'x', { kty: 'RSA' }] }),
  ).toHaveLength(1);
  expect(keysOf({})).toHaveLength(0);
});

test.each([
  ['NotStarted', 'pending'],
  ['Received', 'pending'],
  ['InProgress', 'pending'],
  ['Accepted', 'paid'],
  ['Rejected', 'failed'],
  ['Invented', 'pending'],
])('%s of Tochka means %s', (word, status) => {
  expect(stateOf(word)).toBe(status);
});

test.each([
  ['Initiated', 'pending'],
  ['WaitingForClientConfirm', 'pending'],
  ['WaitingForConfirm', 'pending'],
  ['Confirmed', 'pending'],
  ['WaitingForAccept', 'pending'],
  ['Accepted', 'succeeded'],
  ['Rejected', 'failed'],
])('a refund that is %s is %s', (word, status) => {
  expect(refundStateOf(word)).toBe(status);
});

function read(text: string) {
  return readTochkaCallback(delivery(text), theirs);
}

function delivery(text: string) {
  return { header: () => undefined, body: Buffer.from(text) };
}

function encoded(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

function jwt(claims: object, { alg = 'RS256', key = OURS.privateKey } = {}): string {
  const signed = `${encoded({ alg, typ: 'JWT' })}.${encoded(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

function hs256(claims: object): string {
  const signed = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
  const secret = OURS.publicKey.export({ type: 'spki', format: 'pem' });
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function tampered(): string {
  const [header, , signature] = jwt(CLAIMS).split('.');
  return `${header}.${encoded({ ...CLAIMS, amount: '1000000' })}.${signature}`;
}
