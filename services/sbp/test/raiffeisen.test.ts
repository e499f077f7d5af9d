import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRaiffeisenCallback } from '../src/raiffeisen/callback.ts';
import { stateOf } from '../src/raiffeisen/states.ts';

const KEYS = ['sandbox-secret'];
const CODE = 'AD100004BAL7227F9BNP6KNE007J9B3K';

/** The amount as it is written, and the signature over `X|MA0000000001|order-id-hash|SUCCESS|2026-…`. */
const VECTORS = [
  ['100', '9121c708c5cbb6009a6fe8bfd3cb6e10e44876797f49232f519c23eeb4fa71f2'],
  ['100.0', '1204799f7dd43c10f2b356cda16502fc7d9ad2f03f8b7ee2b7dc5c15ed588761'],
  ['100.00', '6502470e23bde8494f579d25c9a3cd0a34fef4c238d5ae16cdd04ef75435cb0f'],
] as const;

describe('a callback of Raiffeisen', () => {
  test('of the bank’s own published example has the signature that is published with it', () => {
    // The key of the example, in the bank's public documentation for its test contour.
    const key = [
      'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9',
      'eyJzdWIiOiJNQTAwMDAwMDA1NTIiLCJqdGkiOiIwZTRhODI2ZC0zMTk3LTQ5YWUtYjRlYS0zZDllOGRkODIyOGEifQ',
      'Q-AVaDBzvfkz6I8ZCVgvGIWpWTUgotRDmTcs4ysR0Qc',
    ].join('.');
    const body = Buffer.from(
      '{"amount":101.01,"sbpMerchantId":"MA0000000552","paymentStatus":"SUCCESS",' +
        '"order":"dfe0ff08-4796-46bb-a9fb-93fcd99ce748",' +
        '"transactionDate":"2020-07-24T17:20:00.999232+03:00"}',
    );
    const signature = '1eca6a084ff8a5b4f5740e0eeab2a72d8ff981bce5b5dea75a53bf44944a8c8d';
    expect(read(body, signature, [key]).ok).toBe(true);
    expect(read(body, signature).ok).toBe(false);
  });

  test.each(VECTORS)('is signed over the amount as it is written: %s', (amount, signature) => {
    expect(read(bodyWith(amount), signature)).toEqual({
      ok: true,
      value: { attemptId: 'order-id-hash', paymentId: CODE },
    });
  });

  test('is forged when its amount was written another way', () => {
    for (const [amount] of VECTORS) {
      for (const [other, signature] of VECTORS) {
        expect(read(bodyWith(amount), signature).ok).toBe(amount === other);
      }
    }
  });

  test('is forged with any other signature, and never throws', () => {
    const [[amount, signature]] = VECTORS;
    for (let bit = 0; bit < 256; bit += 1) {
      const bytes = Buffer.from(signature, 'hex');
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(read(bodyWith(amount), bytes.toString('hex'))).toEqual({
        ok: false,
        rejection: 'forged',
      });
    }
    for (const wrong of [undefined, '', 'x', signature.slice(1), `${signature}00`]) {
      expect(read(bodyWith(amount), wrong)).toEqual({ ok: false, rejection: 'forged' });
    }
  });

  test('is believed by the previous key too, and by no third one', () => {
    const [[amount, signature]] = VECTORS;
    expect(read(bodyWith(amount), signature, ['new', 'sandbox-secret']).ok).toBe(true);
    expect(read(bodyWith(amount), signature, ['new']).ok).toBe(false);
    expect(read(bodyWith(amount), signature, []).ok).toBe(false);
  });

  test('with any changed byte is refused, or tells the same attempt', () => {
    const [[amount, signature]] = VECTORS;
    const genuine = bodyWith(amount);
    const change = fc.tuple(fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(change, ([at, mask]) => {
        const body = Buffer.from(genuine);
        body.writeUInt8(body.readUInt8(at) ^ mask, at);
        const result = read(body, signature);
        expect(result.ok ? result.value.attemptId : 'refused').toMatch(/^(order-id-hash|refused)$/);
      }),
      { numRuns: 500 },
    );
  });

  test('of any bytes at all gets an answer', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(read(Buffer.from(bytes), VECTORS[0][1]).ok).toBe(false);
      }),
    );
  });

  test('without an order is malformed, however well it is signed', () => {
    const signature = createHmac('sha256', 'sandbox-secret').update('1||||').digest('hex');
    expect(read(Buffer.from('{"amount":1}'), signature)).toEqual({
      ok: false,
      rejection: 'malformed',
    });
  });

  test('gives no payment id that is none', () => {
    const [[amount, signature]] = VECTORS;
    const body = Buffer.from(bodyWith(amount).toString().replace(CODE, "' OR 1=1 --"));
    expect(read(body, signature)).toMatchObject({ ok: true, value: { paymentId: null } });
  });
});

describe('what Raiffeisen says', () => {
  test.each([
    ['NEW', 'NO_INFO', 'pending'],
    ['NEW', null, 'pending'],
    ['IN_PROGRESS', 'IN_PROGRESS', 'pending'],
    ['PAID', 'SUCCESS', 'paid'],
    // The code is paid, and what was paid does not show yet.
    ['PAID', 'NO_INFO', 'pending'],
    ['NEW', 'SUCCESS', 'paid'],
    ['EXPIRED', 'SUCCESS', 'paid'],
    ['EXPIRED', 'NO_INFO', 'expired'],
    ['EXPIRED', 'IN_PROGRESS', 'pending'],
    ['EXPIRED', 'DECLINED', 'failed'],
    ['CANCELLED', 'NO_INFO', 'failed'],
    ['NEW', 'DECLINED', 'failed'],
    ['SOMETHING_NEW', 'TOO', 'pending'],
    ['constructor', 'toString', 'pending'],
    [null, null, 'pending'],
  ])('code %s and payment %s mean %s', (qrStatus, paymentStatus, status) => {
    expect(stateOf(qrStatus, paymentStatus)).toBe(status);
  });
});

function read(body: Buffer, signature: string | undefined, keys: readonly string[] = KEYS) {
  const header = (name: string): string | undefined =>
    name.toLowerCase() === 'x-api-signature-sha256' ? signature : undefined;
  return readRaiffeisenCallback({ header, body }, keys);
}

function bodyWith(amount: string): Buffer {
  return Buffer.from(
    `{"transactionId":41,"qrId":"${CODE}","sbpMerchantId":"MA0000000001","merchantId":1780000001,` +
      `"amount":${amount},"currency":"RUB","transactionDate":"2026-01-15T16:01:49.043924+03:00",` +
      `"paymentStatus":"SUCCESS","order":"order-id-hash","createDate":"2026-01-15T16:00:40+03:00"}`,
  );
}
