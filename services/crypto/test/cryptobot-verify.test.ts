import { describe, expect, test } from 'vitest';
import { deliveryOf } from '@kopeck/testing/delivery';
import { appsOf } from '../src/cryptobot/config.ts';
import { verify } from '../src/cryptobot/verify.ts';
import {
  fixture,
  fromCryptoPay,
  MAIN_TOKEN,
  SHOP_TOKEN,
  signatureOf,
  TESTNET_TOKEN,
  VECTORS,
} from './partners.ts';

const apps = appsOf({
  CRYPTOBOT_TOKEN: [SHOP_TOKEN, MAIN_TOKEN],
  CRYPTOBOT_TESTNET_TOKEN: [TESTNET_TOKEN],
});
const FORGED = { ok: false, rejection: 'forged' };
const MAIN = { ok: true, value: { app: '31337', network: 'main' } };
const MINIMAL = fixture('cb-v1-minimal.json');

const vectors = Object.entries(VECTORS.out);

test('the key is the raw digest of the token', () => {
  expect(appsOf({ CRYPTOBOT_TOKEN: [MAIN_TOKEN] })).toEqual([
    { app: '31337', network: 'main', key: Buffer.from(VECTORS.key_hex, 'hex') },
  ]);
});

test.each(vectors)('%s has the signature of its vector', (name, { bytes, sig }) => {
  const body = fixture(name);
  expect(body.length).toBe(bytes);
  expect(signatureOf(body)).toBe(sig);
  expect(verify(fromCryptoPay(body, sig), apps)).toEqual(MAIN);
});

test('the fixture of the test network, signed with a token of it, is of that network', () => {
  const body = fixture('cb-testnet-jet.json');
  const proof = { app: '40400', network: 'test' };
  expect(verify(fromCryptoPay(body, signatureOf(body, TESTNET_TOKEN)), apps)).toEqual({
    ok: true,
    value: proof,
  });
});

test('each configured app is known by its own token', () => {
  const delivery = fromCryptoPay(MINIMAL, signatureOf(MINIMAL, SHOP_TOKEN));
  expect(verify(delivery, apps)).toEqual({ ok: true, value: { app: '20202', network: 'main' } });
});

test('the signature may be in upper case', () => {
  expect(verify(fromCryptoPay(MINIMAL, signatureOf(MINIMAL).toUpperCase()), apps)).toEqual(MAIN);
});

describe('is forged', () => {
  const good = signatureOf(MINIMAL);

  test.each([
    ['with the hex text of the digest as its key', VECTORS.wrong_hexkey_sig_for_v1],
    ['with the token itself as its key', VECTORS.wrong_tokenkey_sig_for_v1],
    ['with 63 digits', good.slice(1)],
    ['with 65 digits', `${good}0`],
    ['with a digit that is none', `g${good.slice(1)}`],
    ['with a header that came twice', `${good}, ${good}`],
    ['with a space behind it', `${good} `],
    ['with an empty header', ''],
    ['with a prefix', `sha256=${good}`],
    ['with the token of an unknown app', signatureOf(MINIMAL, `31338:${'A'.repeat(35)}`)],
  ])('%s', (_what, signature) => {
    expect(verify(fromCryptoPay(MINIMAL, signature), apps)).toEqual(FORGED);
  });

  test('without a header', () => {
    expect(verify(deliveryOf({ body: MINIMAL }), apps)).toEqual(FORGED);
  });

  test('with a space appended to the body', () => {
    const longer = Buffer.concat([MINIMAL, Buffer.from(' ')]);
    expect(verify(fromCryptoPay(longer, good), apps)).toEqual(FORGED);
  });

  test('when the body was parsed and written out again', () => {
    const body = fixture('cb-trap-reserialise.json');
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(body.toString())));
    expect(verify(fromCryptoPay(rewritten, signatureOf(body)), apps)).toEqual(FORGED);
  });
});

test('without any token nothing is believed, and the sender is asked to come again', () => {
  expect(verify(fromCryptoPay(MINIMAL), appsOf({}))).toEqual({
    ok: false,
    rejection: 'unconfigured',
  });
});

describe.each(vectors)('%s', (name) => {
  const isTestnet = name === 'cb-testnet-jet.json';
  const body = fixture(name);
  const signature = Buffer.from(signatureOf(body, isTestnet ? TESTNET_TOKEN : MAIN_TOKEN), 'hex');

  test('with any bit of its body flipped is forged', () => {
    const believed = bitsWhere(body, (changed) => {
      return verify(fromCryptoPay(changed, signature.toString('hex')), apps).ok;
    });
    expect(believed).toEqual([]);
  });

  test('with any bit of its signature flipped is forged', () => {
    const believed = bitsWhere(signature, (changed) => {
      return verify(fromCryptoPay(body, changed.toString('hex')), apps).ok;
    });
    expect(believed).toEqual([]);
  });
});

/** The bits that may be flipped without the check noticing. */
function bitsWhere(bytes: Buffer, check: (changed: Buffer) => boolean): readonly number[] {
  const bits = Array.from({ length: bytes.length * 8 }, (_, bit) => bit);
  return bits.filter((bit) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return check(changed);
  });
}
