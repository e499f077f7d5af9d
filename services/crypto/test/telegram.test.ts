import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { decodeEvent } from '@kopeck/core/event-schema';
import { deliveryOf } from '@kopeck/testing/delivery';
import { describeSource } from '@kopeck/testing/describe-source';
import { telegramSource } from '../src/telegram/source.ts';
import {
  BOT_SECRET,
  BOT_TOKEN,
  eventOf,
  fixture,
  fromTelegram,
  OLD_BOT_SECRET,
  outcomeOf,
} from './partners.ts';

const CHARGE =
  'stxQ9vT7wZkLb3Rf0yNpXe5HcJgAaUuMmSsDdEeKkVvBbTtGgHh1122334455667788_aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123456789AbCdEfGhIjKlMnOpQrStUvWxYz9Q8W7E6R5T4';
const PAYLOAD = '{"telegram_id":5123456789,"amount_ndn":1500,"o":"01K9ZD1H7V3A"}';
const PAID = fixture('tg-successful-payment.json');
const REFUNDED = fixture('tg-refunded-payment.json');

const source = telegramSource({
  TELEGRAM_BOT_TOKEN: BOT_TOKEN,
  TELEGRAM_WEBHOOK_SECRET: [BOT_SECRET, OLD_BOT_SECRET],
});

describeSource(source, {
  genuine: fromTelegram(PAID),
  event: {
    specversion: '1.0',
    id: 'telegram.payment.paid.ea0927ee488bfc5e686ef1773c1521ff3f68e66b',
    source: 'telegram',
    type: 'payment.paid',
    subject: `payment:telegram:7000000001:${CHARGE}`,
    time: '2026-10-05T13:15:05.000Z',
    receivedat: '2026-10-05T12:35:03.000Z',
    network: 'main',
    contenthash: 'd2e2674356fab1966921613f17726018d177d3109d1b4ec8f27a60aa69874c4d',
    data: {
      provider: 'telegram',
      app: '7000000001',
      paymentId: CHARGE,
      reference: PAYLOAD,
      paid: { asset: 'XTR', amount: '150' },
      price: null,
      fee: null,
      swap: null,
      payer: '5123456789',
      language: 'ru',
      recurring: null,
    },
  },
  proof: Buffer.from(BOT_SECRET),
  withProof: (proof) => fromTelegram(PAID, proof.toString('latin1')),
  authentic: (body) => fromTelegram(body),
  secrets: [BOT_SECRET, OLD_BOT_SECRET, BOT_TOKEN, BOT_TOKEN.slice(11)],
});

type Json = Record<string, unknown>;

/** The fixture with fields of its message and of its payment replaced; undefined leaves one out. */
function changed(body: Buffer, payment: Json, message: Json = {}): Buffer {
  const update = JSON.parse(body.toString()) as { message: Record<string, Json> };
  Object.assign(update.message, message);
  for (const key of ['successful_payment', 'refunded_payment']) {
    const content = update.message[key];
    if (content !== undefined) Object.assign(content, payment);
  }
  return Buffer.from(JSON.stringify(update));
}

function eventFrom(body: Buffer): Promise<KopeckEvent> {
  return eventOf(source, fromTelegram(body));
}

describe('the secret', () => {
  test('may be the one before the current', () => {
    expect(source.verify(fromTelegram(PAID, OLD_BOT_SECRET))).toEqual({
      ok: true,
      value: { bot: '7000000001' },
    });
  });

  test.each([
    ['of another case', BOT_SECRET.toUpperCase()],
    ['twice in one header', `${BOT_SECRET}, ${BOT_SECRET}`],
    ['both at once', `${BOT_SECRET},${OLD_BOT_SECRET}`],
    ['one character off', 'test_Secret-124'],
    ['the bot token', BOT_TOKEN],
    ['empty', ''],
  ])('%s proves nothing', (_what, secret) => {
    expect(source.verify(fromTelegram(PAID, secret))).toEqual({ ok: false, rejection: 'forged' });
  });

  test('absent proves nothing', () => {
    expect(source.verify(deliveryOf({ body: PAID }))).toEqual({ ok: false, rejection: 'forged' });
  });

  test.each([
    ['neither token nor secret', {}],
    ['no secret', { TELEGRAM_BOT_TOKEN: BOT_TOKEN }],
    ['no token', { TELEGRAM_WEBHOOK_SECRET: [BOT_SECRET] }],
  ])('with %s configured nothing is believed', (_what, config) => {
    for (const delivery of [fromTelegram(PAID), fromTelegram(PAID, ''), deliveryOf({})]) {
      expect(telegramSource(config).verify(delivery)).toEqual({
        ok: false,
        rejection: 'unconfigured',
      });
    }
  });
});

describe('a payment in Stars', () => {
  test.each([
    ['tg-successful-payment-recurring-first.json', 'first', '2026-10-05T14:20:00.000Z'],
    ['tg-successful-payment-recurring-renewal.json', 'renewal', '2026-11-04T14:19:10.000Z'],
  ])('of a subscription, %s, says so', async (name, recurring, time) => {
    const event = await eventFrom(fixture(name));
    expect(event).toMatchObject({
      type: 'payment.paid',
      time,
      data: { recurring, paid: { asset: 'XTR', amount: '499' } },
    });
  });

  test('that renews a subscription is another payment with the same payload', async () => {
    const first = await eventFrom(fixture('tg-successful-payment-recurring-first.json'));
    const renewal = await eventFrom(fixture('tg-successful-payment-recurring-renewal.json'));
    expect(renewal.id).not.toBe(first.id);
    expect(renewal.data).toMatchObject({
      reference: (first.data as { reference: string }).reference,
    });
  });

  test('is one event under any update id', async () => {
    const text = PAID.toString().replace('728193002', '1');
    expect((await eventFrom(Buffer.from(text))).id).toBe((await eventFrom(PAID)).id);
  });

  test('is another event when its charge id differs in the case of one letter', async () => {
    const other = { telegram_payment_charge_id: CHARGE.replace('stx', 'stX') };
    expect((await eventFrom(changed(PAID, other))).id).not.toBe((await eventFrom(PAID)).id);
  });

  test('is another event when its charge id is another, under whatever update id', async () => {
    const other = await eventFrom(changed(PAID, { telegram_payment_charge_id: 'stx-of-another' }));
    expect(other.id).not.toBe((await eventFrom(PAID)).id);
    expect(other).toMatchObject({ type: 'payment.paid', data: { reference: PAYLOAD } });
  });

  test('may have a payload of more bytes than Telegram lets an invoice have, and keeps it whole', async () => {
    const payload = `${'ж'.repeat(64)}x`;
    expect(Buffer.byteLength(payload)).toBe(129);
    const event = await eventFrom(changed(PAID, { invoice_payload: payload }));
    expect(event).toMatchObject({ type: 'payment.paid', data: { reference: payload } });
  });

  test('of another amount or payload has the same id and other content', async () => {
    const genuine = await eventFrom(PAID);
    for (const change of [{ total_amount: 149 }, { invoice_payload: 'x' }]) {
      const other = await eventFrom(changed(PAID, change));
      expect(other.id).toBe(genuine.id);
      expect(other.contenthash).not.toBe(genuine.contenthash);
    }
  });

  test('counts its stars the same as a number and as a text', async () => {
    const text = await eventFrom(changed(PAID, { total_amount: '150' }));
    expect(text.contenthash).toBe((await eventFrom(PAID)).contenthash);
  });

  test('may have the longest charge id, in a subject of at most 300 characters', async () => {
    const longest = { telegram_payment_charge_id: 'x'.repeat(255) };
    const event = await eventFrom(changed(PAID, longest));
    expect(event.type).toBe('payment.paid');
    expect(event.subject.length).toBeLessThanOrEqual(300);
  });

  test.each([
    ['without a payer', { from: undefined }, { data: { payer: null } }],
    ['without a date', { date: undefined }, { time: '2026-10-05T12:35:03.000Z' }],
    ['of a date that is none', { date: 1e15 }, { time: '2026-10-05T12:35:03.000Z' }],
  ])('%s is still a payment', async (_what, message, expected) => {
    const event = await eventFrom(changed(PAID, {}, message));
    expect(event).toMatchObject({ type: 'payment.paid', ...expected });
  });

  test('without a payload has no reference', async () => {
    const event = await eventFrom(changed(PAID, { invoice_payload: '' }));
    expect(event).toMatchObject({ type: 'payment.paid', data: { reference: null } });
  });

  test.each([
    ['no stars', { total_amount: 0 }, 'stars-make-no-sense'],
    ['less than none', { total_amount: -150 }, 'stars-make-no-sense'],
    ['half a star', { total_amount: 1.5 }, 'stars-make-no-sense'],
    ['too many stars', { total_amount: '1234567890123456' }, 'stars-make-no-sense'],
    ['no amount', { total_amount: undefined }, 'stars-make-no-sense'],
    ['an amount that is no number', { total_amount: { stars: 1 } }, 'stars-make-no-sense'],
    ['dollars', { currency: 'USD', total_amount: 15000 }, 'payment-not-in-stars'],
    ['no currency', { currency: undefined }, 'payment-not-in-stars'],
    ['no charge id', { telegram_payment_charge_id: undefined }, 'no-charge-id'],
    ['an empty charge id', { telegram_payment_charge_id: '' }, 'no-charge-id'],
    ['too long a charge id', { telegram_payment_charge_id: 'x'.repeat(256) }, 'charge-id-too-long'],
  ])('with %s is kept in quarantine', async (_what, change, reason) => {
    for (const body of [PAID, REFUNDED]) {
      const event = await eventFrom(changed(body, change));
      expect(event).toMatchObject({ type: 'quarantined', data: { reason } });
    }
  });
});

describe('a refund', () => {
  test('is an event of the payment it gives back', async () => {
    const paid = await eventFrom(PAID);
    const event = await eventFrom(REFUNDED);
    expect(event).toMatchObject({
      type: 'payment.refunded',
      subject: paid.subject,
      time: '2026-10-06T15:20:00.000Z',
      data: {
        paymentId: CHARGE,
        reference: PAYLOAD,
        paid: null,
        refundId: null,
        refunded: { asset: 'XTR', amount: '150' },
        cumulative: null,
        payer: '5123456789',
      },
    });
    expect(event.id.split('.').at(-1)).toBe(paid.id.split('.').at(-1));
  });

  test.each([
    ['the user', { id: 5123456789 }],
    ['nobody', undefined],
  ])('told by %s is the same event', async (_whom, from) => {
    const event = await eventFrom(changed(REFUNDED, {}, { from }));
    expect({ ...event, evidence: '' }).toEqual({ ...(await eventFrom(REFUNDED)), evidence: '' });
  });
});

describe('an update of a subscription', () => {
  test.each([
    ['tg-subscription-canceled.json', 'canceled', '729500100'],
    ['tg-subscription-failed.json', 'failed', '733900100'],
  ])('%s', async (name, state) => {
    const event = await eventFrom(fixture(name));
    const reference = '{"telegram_id":5123456789,"amount_ndn":5000,"s":"01K9ZD7SUBP1"}';
    expect(event).toMatchObject({
      type: 'subscription.changed',
      time: '2026-10-05T12:35:03.000Z',
      data: { app: '7000000001', user: '5123456789', reference, state },
    });
    expect(event.subject).toMatch(/^subscription:telegram:7000000001:5123456789:[0-9a-f]{40}$/);
  });

  test('cancelled and failed are two events of one subscription', async () => {
    const canceled = await eventFrom(fixture('tg-subscription-canceled.json'));
    const failed = await eventFrom(fixture('tg-subscription-failed.json'));
    expect(failed.id).not.toBe(canceled.id);
    expect(failed.subject).toBe(canceled.subject);
  });
});

test.each([
  'subscription-canceled',
  'subscription-failed',
  'purchased-paid-media',
  'refunded-payment',
])('%s is an event that the ledger can read', async (name) => {
  const event = await eventFrom(fixture(`tg-${name}.json`));
  expect(decodeEvent('events-crypto', event)).toBe(event);
});

test('a state of a subscription that is no word is kept in quarantine', async () => {
  const text = fixture('tg-subscription-failed.json').toString();
  const event = await eventFrom(Buffer.from(text.replace('"failed"', `"${'x'.repeat(256)}"`)));
  expect(event.type).toBe('quarantined');
});

test('bought media are an event without money', async () => {
  expect(await eventFrom(fixture('tg-purchased-paid-media.json'))).toMatchObject({
    type: 'media.purchased',
    subject: 'media:telegram:7000000001:728193006',
    data: { app: '7000000001', user: '5123456789', reference: 'pm:01K9ZDPM' },
  });
});

test('a pre_checkout_query is a question', async () => {
  const outcome = await outcomeOf(source, fromTelegram(fixture('tg-pre-checkout-query.json')));
  expect(outcome).toEqual({
    kind: 'question',
    question: {
      queryId: '22005083712345678',
      languageCode: 'ru',
      currency: 'XTR',
      totalAmount: '150',
      payload: PAYLOAD,
    },
  });
});

test.each(['tg-text-message.json', 'tg-edited-message.json', 'tg-my-chat-member-blocked.json'])(
  '%s is ignored',
  async (name) => {
    const outcome = await outcomeOf(source, fromTelegram(fixture(name)));
    expect(outcome).toEqual({ kind: 'ignored', reason: 'not-about-money' });
  },
);

test.each([
  '{"update_id":1}',
  '{"update_id":1,"something_new":{"successful_payment":{}}}',
  '{"update_id":1,"message":{"text":"hi"}}',
])('%s is ignored', async (text) => {
  expect(await outcomeOf(source, fromTelegram(Buffer.from(text)))).toMatchObject({
    kind: 'ignored',
  });
});

test.each([
  ['', 'not-a-json-object'],
  ['[]', 'not-a-json-object'],
  ['{}', 'no-update-id'],
  ['{"ok":true,"result":{}}', 'no-update-id'],
  ['{"update_id":1,"message":"hi"}', 'update-without-content'],
  ['{"update_id":1,"message":{"successful_payment":1}}', 'payment-without-content'],
  ['{"update_id":1,"pre_checkout_query":{}}', 'no-query-id'],
  ['{"subscription":{"user":{"id":5},"state":"active"}}', 'no-update-id'],
  ['{"update_id":1,"subscription":{"state":"active"}}', 'subscription-without-user-or-state'],
  ['{"update_id":1,"subscription":{"user":{"id":5}}}', 'subscription-without-user-or-state'],
  ['{"update_id":1,"purchased_paid_media":{"from":{"id":-5}}}', 'purchase-without-user'],
])('%s is kept in quarantine', async (text, reason) => {
  expect(await eventFrom(Buffer.from(text))).toMatchObject({
    type: 'quarantined',
    source: 'telegram',
    data: { reason },
  });
});

test('whatever stands in one field of a payment, the answer is an event that keeps its shape', async () => {
  const names = ['currency', 'total_amount', 'invoice_payload', 'telegram_payment_charge_id'];
  const field = fc.tuple(fc.constantFrom(...names), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(field, async ([name, value]) => {
      const event = await eventFrom(changed(PAID, { [name]: value }, { date: value }));
      expect(event.type).toMatch(/^(payment\.paid|quarantined)$/);
      expect(decodeEvent('events-crypto', event)).toBe(event);
    }),
  );
});
