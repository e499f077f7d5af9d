import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { eventId } from '@kopeck/core/identity';
import { decodeEvent } from '@kopeck/core/event-schema';
import { describeSource } from '@kopeck/testing/describe-source';
import { epnSource } from '../src/epn/source.ts';
import {
  actionOf,
  eventOf,
  got,
  OLD_TOKEN,
  ORDER,
  outcomeOf,
  posted,
  source,
  TOKEN,
} from './postbacks.ts';

const GENUINE = `${ORDER}&revenue=1500&commission_fee=100`;

describeSource(source, {
  genuine: posted(GENUINE),
  event: {
    specversion: '1.0',
    id: 'epn.affiliate.waiting.8e908a621d208c9720642257ec317e5d2985f083',
    source: 'epn',
    type: 'affiliate.waiting',
    subject: 'affiliate:epn_bz:EPN-12345',
    time: '2026-10-05T12:35:03.000Z',
    receivedat: '2026-10-05T12:35:03.000Z',
    network: 'main',
    contenthash: '18f3642ef7c3f5596d5e65b8e89c42ff1c998d0c7e14951fbcda65b11ae32e44',
    data: {
      partner: 'epn_bz',
      actionId: 'EPN-12345',
      actionKind: 'native',
      clickId: '123',
      orderNumber: 'ORDER-001',
      rawStatus: 'waiting',
      commission: { asset: 'RUB', amount: '100' },
      revenue: { asset: 'RUB', amount: '1500' },
      fields: { revenue: '1500', commission_fee: '100', default_currency: 'RUB' },
    },
  },
  proof: Buffer.from(TOKEN),
  withProof: (proof) => ({ ...posted(GENUINE), path: `/webhook/${proof.toString('latin1')}` }),
  authentic: (content) => posted(content),
  secrets: [TOKEN, OLD_TOKEN],
});

describe('the token', () => {
  test('may be the one before the current', () => {
    expect(source.verify({ ...got(ORDER), path: `/webhook/${OLD_TOKEN}` }).ok).toBe(true);
  });

  test('hides everything while it is wrong, and says so while there is none', () => {
    const stranger = { ...got(ORDER), path: `/webhook/${TOKEN.toUpperCase()}` };
    expect(source.verify(stranger)).toEqual({ ok: false, rejection: 'hidden' });
    const bare = epnSource({ EPN_DEFAULT_CURRENCY: 'RUB' });
    expect(bare.verify(got(ORDER))).toEqual({ ok: false, rejection: 'unconfigured' });
  });
});

describe('a postback', () => {
  test('is the same event as a query, a form and JSON, whose numbers keep their text', async () => {
    const parameters = 'click_id=u-1&order_number=9&uniq_id=9&order_status=waiting&revenue=10.50';
    const json =
      '{"click_id":"u-1","order_number":9,"uniq_id":9,"order_status":"waiting","revenue":10.50}';
    const events = [got(parameters), posted(parameters), posted(json, 'application/json')];
    const [byQuery, ...others] = await Promise.all(events.map(eventOf));
    expect(byQuery?.id).toBe(
      eventId('epn', 'affiliate.waiting', ['epn_bz', '9', '10.5', '', 'RUB']),
    );
    for (const { id, contenthash, data } of others) {
      expect({ id, contenthash, data }).toEqual({
        id: byQuery?.id,
        contenthash: byQuery?.contenthash,
        data: byQuery?.data,
      });
    }
  });

  test('keeps ids above 2⁵³ as they are written', async () => {
    const body = `{"click_id":1,"order_number":8190044512207111222,"uniq_id":9007199254740993,"order_status":"open"}`;
    expect((await eventOf(posted(body, 'application/json'))).data).toMatchObject({
      orderNumber: '8190044512207111222',
      actionId: '9007199254740993',
    });
  });

  test('takes the last of a parameter that comes twice, and the body before the query', async () => {
    expect(await actionOf('click_id=2')).toMatchObject({ clickId: '2' });
    expect((await actionOf('click_id=2')).fields).toMatchObject({ repeated: 'click_id' });
    const both = { ...posted('click_id=3&order_status=completed'), query: ORDER };
    expect(await eventOf(both)).toMatchObject({
      type: 'affiliate.completed',
      data: { clickId: '3', orderNumber: 'ORDER-001' },
    });
  });

  test.each([
    ['waiting', 'affiliate.waiting'],
    ['open', 'affiliate.waiting'],
    ['pending', 'affiliate.pending'],
    ['hold', 'affiliate.pending'],
    ['completed', 'affiliate.completed'],
    ['Approved', 'affiliate.completed'],
    ['confirmed', 'affiliate.completed'],
    ['REJECTED', 'affiliate.rejected'],
    ['cancelled', 'affiliate.rejected'],
    ['canceled', 'affiliate.rejected'],
    ['declined', 'affiliate.rejected'],
  ])('of status %s is %s and keeps the word', async (status, type) => {
    const event = await eventOf(got(`${ORDER}&order_status=${status}`));
    expect(event).toMatchObject({ type, data: { rawStatus: status } });
  });

  test('keeps names in any script, escaped or as raw bytes', async () => {
    expect((await actionOf('offer_name=%D0%9A%D0%BE%D1%82+1')).fields).toEqual({
      offer_name: 'Кот 1',
      default_currency: 'RUB',
    });
    const raw = posted(Buffer.from(`${ORDER}&offer_name=Кот`));
    expect((await eventOf(raw)).data).toMatchObject({ fields: { offer_name: 'Кот' } });
  });

  test('has personal data in its evidence alone', async () => {
    const query = `${ORDER}&ip=203.0.113.24&ipv6=2001:db8::7&user_agent=Mozilla`;
    const { data, evidence } = await eventOf(got(query));
    expect(JSON.stringify(data)).not.toMatch(/203\.0|2001:db8|Mozilla/);
    expect(evidence).toContain('203.0.113.24');
  });

  test('passes the schema of the queue with every field that EPN has', async () => {
    const all = `${ORDER}&offer_name=A%26B&offer_type=aliexpress&offer_id=1&type_id=1&sub=tg&sub2=2&sub3=3&sub4=4&sub5=5&revenue=2349.90&commission_fee=96.35&currency=rub&ip=203.0.113.24&ipv6=&user_agent=M&click_time=2026-03-11%2018:02:41&time_of_order=2026-03-11%2018:40:07&country_code=RU&new_one=yes`;
    const event = await eventOf(got(all));
    expect(decodeEvent('events-epn', event)).toBe(event);
    expect(event.data).toMatchObject({
      revenue: { asset: 'RUB', amount: '2349.9' },
      fields: { offer_name: 'A&B', sub: 'tg', sub5: '5', currency: 'rub', new_one: 'yes' },
    });
  });
});

describe('the identity', () => {
  const idOf = async (parameters: string): Promise<string> =>
    (await eventOf(got(`${ORDER}&${parameters}`))).id;

  test('tells e1 from E1, and the parts of a split order from each other', async () => {
    const ids = await Promise.all(['uniq_id=e1', 'uniq_id=E1', 'uniq_id=E2'].map(idOf));
    expect(new Set(ids).size).toBe(3);
  });

  test('does not depend on how an amount or a currency is spelled, nor on what else came', async () => {
    const spelled = [
      'revenue=10',
      'revenue=10.00&currency=rub',
      'revenue=010&sub=x&ip=203.0.113.1',
    ];
    expect(new Set(await Promise.all(spelled.map(idOf))).size).toBe(1);
  });

  test('is another one for other amounts, for another currency, and for unreadable amounts', async () => {
    const different = [
      'revenue=10',
      'revenue=11',
      'commission_fee=10',
      'revenue=10&currency=USD',
      'revenue=1+234,50',
      'revenue=1+234,60',
      '',
    ];
    expect(new Set(await Promise.all(different.map(idOf))).size).toBe(different.length);
  });

  test('shows another order under the same id and amounts as other content', async () => {
    const one = await eventOf(got(ORDER));
    const other = await eventOf(got(`${ORDER}&order_number=ORDER-002`));
    expect(other.id).toBe(one.id);
    expect(other.contenthash).not.toBe(one.contenthash);
  });

  test.each(['', '&uniq_id=', '&uniq_id=+'])('is made of stable fields for "%s"', async (none) => {
    const order = 'click_id=C&order_number=N&offer_id=7&offer_type=ali&order_status=';
    const expected = createHash('sha1').update('epn_bz|N|7|ali|C').digest('hex');
    for (const rest of ['waiting&revenue=1', 'completed&revenue=2']) {
      expect((await eventOf(got(`${order}${rest}${none}`))).data).toMatchObject({
        actionId: `syn_${expected}`,
        actionKind: 'synthetic',
      });
    }
  });
});

describe('money', () => {
  test('is read to the ninth decimal, in the currency that is named', async () => {
    expect(await actionOf('commission_fee=0.375000001&currency=ton')).toMatchObject({
      commission: { asset: 'TON', amount: '0.375000001' },
    });
  });

  test('of nothing is nothing, and not an unknown amount', async () => {
    expect(await actionOf('commission_fee=0.00')).toMatchObject({
      commission: { asset: 'RUB', amount: '0' },
    });
  });

  test.each(['1+234,50', 'nan', '1e3', '-5', '0x10', '1.', '٣', '9'.repeat(16)])(
    'that reads %s is unknown, and never zero',
    async (text) => {
      const { commission, fields } = await actionOf(`commission_fee=${text}`);
      expect(commission).toBeNull();
      expect(fields['commission_fee']).toBe(decodeURIComponent(text.replace('+', ' ')));
    },
  );

  test.each(['R', 'РУБ', 'TOO-LONG-A-CURRENCY'])('in %s is unknown', async (currency) => {
    expect(await actionOf(`commission_fee=5&currency=${currency}`)).toMatchObject({
      commission: null,
      fields: { currency },
    });
  });

  test('without a currency is in the configured one', async () => {
    const elsewhere = epnSource({ EPN_SECRET_TOKEN: [TOKEN], EPN_DEFAULT_CURRENCY: 'EUR' });
    const notification = elsewhere.parse(got(`${ORDER}&commission_fee=5`), 'path');
    if (notification.kind !== 'parsed') throw new Error('not parsed');
    const normalised = elsewhere.normalise(notification.value, 'path', got(ORDER));
    expect(normalised).toMatchObject({
      event: { data: { commission: { asset: 'EUR', amount: '5' } } },
    });
  });
});

describe('a postback that makes no sense', () => {
  test.each([
    ['order_number=1', 'missing_field', 'click_id'],
    ['click_id=1', 'missing_field', 'order_number'],
    ['click_id=1&order_number=', 'missing_field', 'order_number'],
    ['foo=bar', 'missing_field', 'click_id'],
    ['click_id={click_id}&order_number=1', 'literal_macro', 'click_id'],
    [`${ORDER}&order_number=%7Border_number%7D`, 'literal_macro', 'order_number'],
    [`${ORDER}&uniq_id={uniq_id}`, 'literal_macro', 'uniq_id'],
    [`${ORDER}&order_status={order_status}`, 'literal_macro', 'order_status'],
    [`${ORDER}&commission_fee={commission_fee}`, 'literal_macro', 'commission_fee'],
    [`${ORDER}&uniq_id=&offer_id={offer_id}`, 'literal_macro', 'offer_id'],
    [`${ORDER}&order_number=a%00b`, 'unreadable_field', 'order_number'],
    [`${ORDER}&click_id=a%0Ab`, 'unreadable_field', 'click_id'],
    [`${ORDER}&uniq_id=%zz`, 'unreadable_field', 'uniq_id'],
    [`${ORDER}&order_number=%E0%A4%A`, 'unreadable_field', 'order_number'],
    [`${ORDER}&click_id=%ff`, 'unreadable_field', 'click_id'],
    [`${ORDER}&click_id=${'a'.repeat(256)}`, 'too_long', 'click_id'],
    [`${ORDER}&uniq_id=${'a'.repeat(256)}`, 'too_long', 'uniq_id'],
  ])('%s is complained about and kept: %s in %s', async (query, error, field) => {
    const outcome = await outcomeOf(got(query));
    expect(outcome).toMatchObject({
      kind: 'quarantined',
      cause: { complaint: { error, field } },
      event: { type: 'quarantined', data: { reason: error } },
    });
    expect(JSON.parse((outcome as { event: { evidence: string } }).event.evidence)).toMatchObject({
      query,
    });
  });

  test.each(['not json', '[]', '5', '{"click_id":1', '\ufffe'])(
    'as the JSON %s is complained about and kept',
    async (body) => {
      expect(await outcomeOf(posted(body, 'application/json'))).toMatchObject({
        kind: 'quarantined',
        cause: { complaint: { error: 'malformed_body' } },
      });
    },
  );

  test('of nested or broken JSON values is complained about where they matter', async () => {
    for (const value of ['{"a":1}', '[1]', String.raw`"\ud800"`]) {
      const body = `{"click_id":${value},"order_number":1}`;
      expect(await outcomeOf(posted(body, 'application/json'))).toMatchObject({
        cause: { complaint: { error: 'unreadable_field', field: 'click_id' } },
      });
    }
  });

  test.each(['', '&order_status=', '&order_status=paid', '&order_status=constructor'])(
    'with the status "%s" is kept without a complaint',
    async (status) => {
      const outcome = await outcomeOf(got(`click_id=1&order_number=2&uniq_id=3${status}`));
      expect(outcome).toMatchObject({ kind: 'quarantined', cause: { reason: 'unknown_status' } });
      expect(outcome).not.toHaveProperty('cause.complaint');
    },
  );

  test('gives its genuine twin no reason to be missed', async () => {
    const outcome = await outcomeOf(got(`${ORDER}&click_id={click_id}`));
    if (outcome.kind !== 'quarantined') throw new Error(outcome.kind);
    expect((await eventOf(got(ORDER))).id).not.toBe(outcome.event.id);
  });

  test.each([got(''), posted(''), posted('{}', 'application/json')])(
    'because it is empty is a ping',
    async (delivery) => {
      expect(await outcomeOf(delivery)).toEqual({ kind: 'ignored', reason: 'ping' });
    },
  );
});

describe('the other fields', () => {
  test('are left out and named when they cannot be read or are too long, and cost no money', async () => {
    const long = 'x'.repeat(501);
    const action = await actionOf(`commission_fee=5&offer_name=${long}&sub=50%&sub2=a%00&sub3=ok`);
    expect(action.commission).toEqual({ asset: 'RUB', amount: '5' });
    expect(action.fields).toEqual({
      commission_fee: '5',
      sub3: 'ok',
      left_out: 'offer_name,sub,sub2',
      default_currency: 'RUB',
    });
  });

  test('are not there while they are blank or macros that nobody replaced', async () => {
    expect((await actionOf('sub=&sub2={sub2}&offer_id={offer_id}&currency=USD')).fields).toEqual({
      currency: 'USD',
    });
  });

  test('are kept up to twenty unknown ones, none of them under a name that is ours', async () => {
    const extras = Array.from({ length: 22 }, (_none, index) => `x${index}=${index}`).join('&');
    const { fields } = await actionOf(`left_out=1&repeated=1&__proto__=2&a%20b=3&${extras}`);
    expect(Object.keys(fields)).toHaveLength(22);
    expect(fields).toMatchObject({ x0: '0', x19: '19', left_out: 'x20,x21' });
  });
});
