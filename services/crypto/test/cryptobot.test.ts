import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { decodeEvent } from '@kopeck/core/event-schema';
import { describeSource } from '@kopeck/testing/describe-source';
import { cryptobotSource } from '../src/cryptobot/source.ts';
import {
  eventOf,
  fixture,
  fromCryptoPay,
  MAIN_TOKEN,
  outcomeOf,
  signatureOf,
  TESTNET_TOKEN,
  VECTORS,
} from './partners.ts';

const PAID = fixture('cb-invoice-paid-crypto.json');
const source = cryptobotSource({
  CRYPTOBOT_TOKEN: [MAIN_TOKEN],
  CRYPTOBOT_TESTNET_TOKEN: [TESTNET_TOKEN],
});

describeSource(source, {
  genuine: fromCryptoPay(PAID),
  event: {
    specversion: '1.0',
    id: 'cryptobot.payment.paid.8492714931aa583c2034e64dfcf8263821101bdb',
    source: 'cryptobot',
    type: 'payment.paid',
    subject: 'payment:cryptobot:31337:main:41877120',
    time: '2026-10-05T12:35:02.266Z',
    receivedat: '2026-10-05T12:35:03.000Z',
    network: 'main',
    contenthash: '36e46f475eaec9ad014a5a92d1e999634bc587678f3915d0a83220f8032d268c',
    data: {
      provider: 'cryptobot',
      app: '31337',
      paymentId: '41877120',
      reference: '{"v":1,"o":"01K9ZC4W8QFJ","t":5123456789,"p":"pro-30"}',
      paid: { asset: 'USDT', amount: '4.5' },
      price: null,
      fee: { asset: 'USDT', amount: '0.135' },
      swap: null,
      payer: null,
      recurring: null,
    },
  },
  proof: Buffer.from(signatureOf(PAID), 'hex'),
  withProof: (proof) => fromCryptoPay(PAID, proof.toString('hex')),
  authentic: (body) => fromCryptoPay(body),
  secrets: [MAIN_TOKEN, MAIN_TOKEN.slice(6), VECTORS.key_hex],
});

/** A paid invoice of our own, authentic; what is undefined is left out. */
async function invoice(fields: object): Promise<KopeckEvent> {
  const payload = { invoice_id: 12345, status: 'paid', ...fields };
  const body = Buffer.from(JSON.stringify({ update_type: 'invoice_paid', payload }));
  return eventOf(source, fromCryptoPay(body));
}

async function eventOfText(payload: string): Promise<KopeckEvent> {
  const body = Buffer.from(`{"update_type":"invoice_paid","payload":${payload}}`);
  return eventOf(source, fromCryptoPay(body));
}

describe('a paid invoice', () => {
  test('redelivered with another request date is the same event', async () => {
    const first = await eventOf(source, fromCryptoPay(PAID));
    const body = fixture('cb-invoice-paid-crypto-redelivery.json');
    const again = await eventOf(source, fromCryptoPay(body));
    expect({ ...again, evidence: '' }).toEqual({ ...first, evidence: '' });
  });

  test('priced in roubles keeps price, coins, fee and what they were exchanged into', async () => {
    const event = await eventOf(source, fromCryptoPay(fixture('cb-invoice-paid-fiat-swap.json')));
    expect(event).toMatchObject({
      type: 'payment.paid',
      subject: 'payment:cryptobot:31337:main:41880944',
      time: '2026-10-05T15:02:11.802Z',
      data: {
        reference: 'order:01K9ZC9T2B7M',
        paid: { asset: 'TON', amount: '2.12233676' },
        price: { asset: 'RUB', amount: '499' },
        fee: { asset: 'TON', amount: '0.0636701028' },
        swap: { asset: 'USDT', amount: '5.96684' },
      },
    });
  });

  test('of the smallest body has no amount, and is taken all the same', async () => {
    const event = await eventOf(source, fromCryptoPay(fixture('cb-v1-minimal.json')));
    expect(event).toMatchObject({
      type: 'payment.paid',
      subject: 'payment:cryptobot:31337:main:12345',
      data: { paid: null, price: null, fee: null, swap: null, reference: null },
    });
  });

  test('of the test network says so', async () => {
    const body = fixture('cb-testnet-jet.json');
    const event = await eventOf(source, fromCryptoPay(body, signatureOf(body, TESTNET_TOKEN)));
    expect(event).toMatchObject({
      network: 'test',
      subject: 'payment:cryptobot:40400:test:830112',
      data: { app: '40400', paid: { asset: 'JET', amount: '100' } },
    });
  });

  test('is another event in another app and on another network', async () => {
    const body = fixture('cb-testnet-jet.json');
    const main = await eventOf(source, fromCryptoPay(body));
    const other = await eventOf(source, fromCryptoPay(body, signatureOf(body, TESTNET_TOKEN)));
    expect(other.id).not.toBe(main.id);
  });

  test('has one identity whether its id is a number or a text', async () => {
    const asNumber = await eventOfText('{"invoice_id":12345,"status":"paid"}');
    const asText = await eventOfText('{"invoice_id":"12345","status":"paid"}');
    expect(asText.id).toBe(asNumber.id);
  });

  test('keeps an id above 2^53 as it was written', async () => {
    const event = await eventOfText('{"invoice_id":9007199254740993,"status":"paid"}');
    expect(event.subject).toBe('payment:cryptobot:31337:main:9007199254740993');
  });

  test('may have the longest id, in a subject of at most 300 characters', async () => {
    const event = await invoice({ invoice_id: 'x'.repeat(255) });
    expect(event.type).toBe('payment.paid');
    expect(event.subject.length).toBeLessThanOrEqual(300);
  });

  test('keeps numbers as they were written, never through a float', async () => {
    const event = await eventOfText(
      '{"invoice_id":1,"status":"paid","currency_type":"crypto","asset":"BTC","amount":0.100000000000000001}',
    );
    expect(event.data).toMatchObject({ paid: { asset: 'BTC', amount: '0.100000000000000001' } });
  });

  test('in a coin that we issue ourselves is left to the ledger', async () => {
    const event = await invoice({ currency_type: 'crypto', asset: 'NDN', amount: '5' });
    expect(event.data).toMatchObject({ paid: { asset: 'NDN', amount: '5' } });
  });

  test.each([
    ['true', true, { asset: 'USDT', amount: '5' }],
    ['"true"', 'true', { asset: 'USDT', amount: '5' }],
    ['false', false, null],
    ['"false"', 'false', null],
    ['absent', undefined, null],
  ])('was exchanged when is_swapped is %s', async (_what, is_swapped, swap) => {
    const event = await invoice({ is_swapped, swapped_to: 'USDT', swapped_output: '5.0' });
    expect(event.data).toMatchObject({ swap });
  });

  test.each([
    ['its price, where it is in coins', { asset: 'USDT', amount: '4.50' }, 'USDT', '4.5'],
    ['paid_amount before amount', { asset: 'TON', amount: '2', paid_amount: '3' }, 'TON', '3'],
    ['coins named by paid_asset', { paid_asset: 'TON', paid_amount: '3' }, 'TON', '3'],
  ])('takes %s', async (_what, fields, asset, amount) => {
    const event = await invoice({ currency_type: 'crypto', ...fields });
    expect(event.data).toMatchObject({ paid: { asset, amount } });
  });

  test('of which another amount was paid than asked for counts as what was paid', async () => {
    const asked = { currency_type: 'crypto', asset: 'USDT', amount: '4.5' };
    const event = await invoice({ ...asked, paid_asset: 'USDT', paid_amount: '4' });
    expect(event.data).toMatchObject({ paid: { asset: 'USDT', amount: '4' }, price: null });
  });

  test('in roubles without its coins has a price and no amount', async () => {
    const event = await invoice({ currency_type: 'fiat', fiat: 'RUB', amount: '499' });
    expect(event.data).toMatchObject({ paid: null, price: { asset: 'RUB', amount: '499' } });
  });

  test('may come without a fee, or with one of nothing', async () => {
    expect((await invoice({ fee_amount: '0.00', fee_asset: 'TON' })).data).toMatchObject({
      fee: null,
    });
  });

  test.each([
    ['not a time', '2026-13-45T99:99:99Z'],
    ['another spelling', '5 October 2026'],
    ['a number', 1791206105],
    ['before there was money of this kind', '0001-01-01T00:00:00Z'],
  ])('with a paid_at that is %s is of the time of receipt', async (_what, paid_at) => {
    const event = await invoice({ paid_at });
    expect(event).toMatchObject({ type: 'payment.paid', time: '2026-10-05T12:35:03.000Z' });
  });
});

describe('is kept in quarantine:', () => {
  test.each([
    ['cb-malformed-truncated.txt', 'not-a-json-object'],
    ['cb-malformed-payload-null.json', 'no-payload'],
    ['cb-malformed-status-active.json', 'not-paid'],
  ])('%s', async (name, reason) => {
    const event = await eventOf(source, fromCryptoPay(fixture(name)));
    expect(event).toMatchObject({ type: 'quarantined', source: 'cryptobot', data: { reason } });
  });

  test.each([
    ['[]', 'not-a-json-object'],
    ['"invoice_paid"', 'not-a-json-object'],
    ['{"payload":{}}', 'no-update-type'],
    ['{"update_type":"invoice_paid"}', 'no-payload'],
    ['{"update_type":"invoice_paid","payload":[]}', 'no-payload'],
    ['{"update_type":"invoice_paid","payload":{"invoice_id":1}}', 'not-paid'],
    ['{"update_type":"invoice_paid","payload":{"status":"paid"}}', 'no-invoice-id'],
    ['{"update_type":"invoice_paid","payload":{"status":"paid","invoice_id":""}}', 'no-invoice-id'],
    ['{"update_type":"invoice_paid","payload":{"status":"paid","invoice_id":{}}}', 'no-invoice-id'],
    ['\xff\xfe', 'not-a-json-object'],
  ])('%s', async (text, reason) => {
    const event = await eventOf(source, fromCryptoPay(Buffer.from(text, 'latin1')));
    expect(event).toMatchObject({ type: 'quarantined', data: { reason } });
  });

  test('an id of more than 255 characters', async () => {
    const event = await invoice({ invoice_id: 'x'.repeat(256) });
    expect(event.data).toEqual({ reason: 'invoice-id-too-long' });
  });

  const badAmounts = ['-4.5', '0', '1e2', '1E2', '+4', '4,5', ' 4', '0x10', 'NaN', '', '.5', '4.'];
  test.each([...badAmounts, '1234567890123456', `0.${'1'.repeat(19)}`])(
    'the amount %j',
    async (amount) => {
      const expected = { type: 'quarantined', data: { reason: 'amount-makes-no-sense' } };
      const coins = { currency_type: 'crypto', asset: 'USDT' };
      expect(await invoice({ ...coins, amount })).toMatchObject(expected);
      expect(await invoice({ ...coins, amount: '4', paid_amount: amount })).toMatchObject(expected);
      expect(await invoice({ amount })).toMatchObject(expected);
    },
  );

  test.each([
    ['an amount that is no text', { asset: 'USDT', amount: { value: 4 } }],
    ['an amount that is true', { asset: 'USDT', amount: true }],
    ['a coin in small letters', { asset: 'usdt', amount: '4' }],
    ['a coin that is no text', { asset: ['USDT'], amount: '4' }],
    ['a negative fee', { asset: 'USDT', amount: '4', fee_asset: 'USDT', fee_amount: '-1' }],
    ['a fee with an exponent', { asset: 'USDT', amount: '4', fee_amount: '1e-2' }],
    [
      'a swap into nothing',
      { asset: 'TON', amount: '4', is_swapped: true, swapped_to: 'USDT', swapped_output: '0' },
    ],
  ])('%s', async (_what, fields) => {
    const event = await invoice({ currency_type: 'crypto', ...fields });
    expect(event.data).toEqual({ reason: 'amount-makes-no-sense' });
  });

  test('never under the identity of the invoice that it spoils', async () => {
    const genuine = await invoice({ currency_type: 'crypto', asset: 'USDT', amount: '4.5' });
    const spoilt = await invoice({ currency_type: 'crypto', asset: 'USDT', amount: '-4.5' });
    expect(genuine.type).toBe('payment.paid');
    expect(spoilt.type).toBe('quarantined');
    expect(spoilt.subject).not.toContain('12345');
  });
});

test('an update of an unknown type is ignored', async () => {
  const body = fixture('cb-unknown-update-type.json');
  expect(await outcomeOf(source, fromCryptoPay(body))).toEqual({
    kind: 'ignored',
    reason: 'unknown-update-type',
  });
});

test('whatever stands in one field of an invoice, the answer is an event that keeps its shape', async () => {
  const names = Object.keys((JSON.parse(PAID.toString()) as { payload: object }).payload);
  const field = fc.tuple(fc.constantFrom(...names), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(field, async ([name, value]) => {
      const update = JSON.parse(PAID.toString()) as { payload: Record<string, unknown> };
      update.payload[name] = value;
      const event = await eventOf(source, fromCryptoPay(Buffer.from(JSON.stringify(update))));
      expect(event.type).toMatch(/^(payment\.paid|quarantined)$/);
      expect(decodeEvent('events-crypto', event)).toBe(event);
    }),
  );
});
