import { describe, expect, test } from 'vitest';
import { readTbankCallback, tokenOf } from '../src/tbank/callback.ts';
import { stateOf } from '../src/tbank/states.ts';

const PASSWORD = 'sandbox-password';
const TERMINAL = { url: 'http://bank', terminalKey: 'SandboxDEMO', passwords: ['new', PASSWORD] };
const TOKEN = 'da87ed574cf8f13b4e73385c8544291539446dc766f14046f697d0e7d28b255c';

describe('a token of T-Bank', () => {
  test.each([
    [
      'Init of the bank’s own page',
      {
        TerminalKey: 'MerchantTerminalKey',
        Amount: '19200',
        OrderId: '00000',
        Description: 'Подарочная карта на 1000 рублей',
      },
      '11111111111111',
      '72dd466f8ace0a37a1f740ce5fb78101712bc0665d91a8108c7c8a0ccd426db2',
    ],
    [
      'a notification of the bank’s own page',
      {
        Amount: '1111',
        CardId: '000000',
        ErrorCode: '0',
        ExpDate: '1111',
        OrderId: '000000',
        Pan: '200000******0000',
        PaymentId: '0000000',
        RebillId: '000000',
        Status: 'AUTHORIZED',
        Success: true,
        TerminalKey: '1234567890DEMO',
      },
      '11111111111',
      '1c0964277d0213349243065a0d5b838b8e90d2d25f740d0f2767836e710e80c8',
    ],
    [
      'GetQr',
      { TerminalKey: 'SandboxDEMO', PaymentId: '13660', DataType: 'PAYLOAD' },
      PASSWORD,
      '568ad6325ce8d45c279672157e926b96bcd107c4ea92627771ebd02a627eb85b',
    ],
    [
      'GetState',
      { TerminalKey: 'SandboxDEMO', PaymentId: '13660' },
      PASSWORD,
      '0eedd020ad1d1d6ef8f838c74b22d7dbebfd1cf19524a24436524f879440fd44',
    ],
    [
      'SbpPayTest',
      { TerminalKey: 'SandboxDEMO', PaymentId: '13660', IsRejected: true },
      PASSWORD,
      '3a7100a318deef60dff9230a2aa16c0211c91cc75930ce7943428e19ae903399',
    ],
  ])('is the bank’s for %s', (_what, fields, password, token) => {
    expect(tokenOf(fields, password)).toBe(token);
  });

  test('leaves out objects, nulls and itself', () => {
    const fields = { TerminalKey: 'SandboxDEMO', PaymentId: '13660' };
    const more = { ...fields, Token: 'x', DATA: { a: 'b' }, Receipt: null, Shops: ['c'] };
    expect(tokenOf(more, PASSWORD)).toBe(tokenOf(fields, PASSWORD));
  });
});

describe('a callback of T-Bank', () => {
  test('with the bank’s token is believed, by any of our passwords', () => {
    expect(read(body())).toEqual({
      ok: true,
      value: { attemptId: 'order-id-hash', paymentId: '13660' },
    });
  });

  test.each([
    ['another amount', { Amount: 10001 }],
    ['another status', { Status: 'REJECTED' }],
    ['another order', { OrderId: 'order-id-hash-2' }],
    ['no token', { Token: undefined }],
    ['a token of another length', { Token: TOKEN.slice(2) }],
  ])('with %s is forged', (_what, change) => {
    expect(read(body(change))).toEqual({ ok: false, rejection: 'forged' });
  });

  test('of another terminal is forged, however well it is signed', () => {
    const fields = { TerminalKey: 'Other', OrderId: 'order-id-hash', PaymentId: '13660' };
    const Token = tokenOf(fields, PASSWORD);
    expect(read(JSON.stringify({ ...fields, Token }))).toEqual({ ok: false, rejection: 'forged' });
  });

  test('that is no object is malformed', () => {
    expect(read('[]')).toEqual({ ok: false, rejection: 'malformed' });
  });
});

test.each([
  ['NEW', 'pending'],
  ['FORM_SHOWED', 'pending'],
  ['AUTHORIZING', 'pending'],
  ['AUTHORIZED', 'pending'],
  ['CONFIRMING', 'pending'],
  ['CONFIRMED', 'paid'],
  ['PARTIAL_REFUNDED', 'paid'],
  ['REFUNDED', 'paid'],
  ['REFUNDING', 'paid'],
  ['ASYNC_REFUNDING', 'paid'],
  ['REJECTED', 'failed'],
  ['AUTH_FAIL', 'failed'],
  ['CANCELED', 'failed'],
  ['REVERSED', 'failed'],
  ['ATTEMPTS_EXPIRED', 'failed'],
  ['DEADLINE_EXPIRED', 'expired'],
  ['3DS_CHECKING', 'pending'],
  ['constructor', 'pending'],
  [null, 'pending'],
])('%s of T-Bank means %s', (word, status) => {
  expect(stateOf(word)).toBe(status);
});

function read(text: string) {
  return readTbankCallback({ header: () => undefined, body: Buffer.from(text) }, TERMINAL);
}

/** The notification of the bank's documentation, in our own words. */
function body(change: object = {}): string {
  return JSON.stringify({
    TerminalKey: 'SandboxDEMO',
    OrderId: 'order-id-hash',
    Success: true,
    Status: 'CONFIRMED',
    PaymentId: 13660,
    ErrorCode: '0',
    Amount: 10000,
    Pan: '+7 (***) ***-**-67',
    Data: { Phone: '+70000000000' },
    CardId: null,
    Token: TOKEN,
    ...change,
  });
}
