import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AffiliateAction, KopeckEvent } from '@kopeck/core/event';
import { decodeEvent } from '@kopeck/core/event-schema';
import { receive, type Outcome } from '@kopeck/core/receive';
import { ConfigError } from '@kopeck/runtime/config';
import { deliveryOf } from '@kopeck/testing/delivery';
import { loadNetworks, type NetworksConfig } from '../src/load-networks.ts';
import { networkSource } from '../src/network/source.ts';
import { TOKEN } from './postbacks.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'networks');
const NAMES = ['admitad', 'advcake', 'travelpayouts'] as const;

const config: NetworksConfig = {
  AFFILIATE_NETWORKS_DIR: EXAMPLES,
  AFFILIATE_TOKENS: NAMES.map((name) => `${name}:${name}-${TOKEN}`),
  EPN_DEFAULT_CURRENCY: 'EUR',
};
const networks = loadNetworks(config);

const FORM = 'application/x-www-form-urlencoded';

function send(name: (typeof NAMES)[number], query: string): Promise<Outcome> {
  const network = networks.find(({ partner }) => partner === name);
  if (network === undefined) throw new Error(`no mapping of ${name}`);
  const path = `/webhook/${name}/${name}-${TOKEN}`;
  // As each of them does: Advcake posts a form.
  const delivery = network.methods.includes('GET')
    ? deliveryOf({ method: 'GET', path, query })
    : deliveryOf({ path, headers: { 'content-type': FORM }, body: Buffer.from(query) });
  return receive(networkSource(network), delivery, async () => 'accepted');
}

async function eventOf(name: (typeof NAMES)[number], query: string): Promise<KopeckEvent> {
  const outcome = await send(name, query);
  if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
  return decodeEvent('events-epn', outcome.event);
}

async function actionOf(name: (typeof NAMES)[number], query: string): Promise<AffiliateAction> {
  return (await eventOf(name, query)).data as AffiliateAction;
}

describe('Admitad', () => {
  const ORDER =
    'subid=u-1&order_id=A-77&admitad_id=9007199254740993&order_sum=2349.90&payment_sum=96.35&currency=rub';
  const TIMES = 'click_time=1773252161&conversion_time=1773254407';

  test('has its words, names and unix times', async () => {
    const query = `${ORDER}&${TIMES}&payment_status=approved&subid1=tg&website_id=5&offer_id=12`;
    const event = await eventOf('admitad', query);
    expect(event).toMatchObject({
      source: 'epn',
      type: 'affiliate.completed',
      subject: 'affiliate:admitad:9007199254740993',
      data: {
        partner: 'admitad',
        clickId: 'u-1',
        orderNumber: 'A-77',
        actionKind: 'native',
        commission: { asset: 'RUB', amount: '96.35' },
        revenue: { asset: 'RUB', amount: '2349.9' },
      },
    });
    expect((event.data as AffiliateAction).fields).toMatchObject({
      sub: 'tg',
      website_id: '5',
      offer_id: '12',
      click_time: '2026-03-11T18:02:41.000Z',
      time_of_order: '2026-03-11T18:40:07.000Z',
    });
  });

  test.each([
    ['pending', 'affiliate.waiting'],
    ['open', 'affiliate.waiting'],
    ['declined', 'affiliate.rejected'],
  ])('calls %s what is %s', async (status, type) => {
    expect(await eventOf('admitad', `${ORDER}&payment_status=${status}`)).toMatchObject({ type });
  });

  test('keeps a macro that nobody replaced, and does not complain: it might switch the URL off', async () => {
    const outcome = await send('admitad', `${ORDER}&payment_status=open&subid=[[[subid]]]`);
    expect(outcome).toMatchObject({ kind: 'quarantined', cause: { reason: 'literal_macro' } });
    expect(outcome).not.toHaveProperty('cause.complaint');
  });

  test('tells of a referral without any parameter: nothing to keep', async () => {
    expect(await send('admitad', '')).toEqual({ kind: 'ignored', reason: 'ping' });
  });

  test('must give an id: without one two actions of an order would become one', async () => {
    const outcome = await send('admitad', 'subid=1&order_id=2&payment_status=open');
    expect(outcome).toMatchObject({ kind: 'quarantined', cause: { reason: 'missing_field' } });
  });
});

describe('a network like Advcake', () => {
  const ORDER = 'sub1=u-2&order=55&id=900&status=2';

  test.each([
    ['1+234,50', '1234.5'],
    ['96,35', '96.35'],
    ['1%C2%A0234', '1234'],
  ])('writes %s for %s', async (written, amount) => {
    const action = await actionOf('advcake', `${ORDER}&payment=${written}`);
    expect(action.commission).toEqual({ asset: 'RUB', amount });
  });

  test.each(['1.234', '1234.50', '1,2,3', '12+34,5'])(
    'never means an amount by %s',
    async (text) => {
      const { commission, fields } = await actionOf('advcake', `${ORDER}&payment=${text}`);
      expect(commission).toBeNull();
      expect(fields['commission_fee']).toBe(text.replace('+', ' '));
    },
  );

  test('has numbers for statuses and times with a zone', async () => {
    const query = `${ORDER}&status=3&date=2026-03-11T21:40:07%2B03:00`;
    expect(await eventOf('advcake', query)).toMatchObject({
      type: 'affiliate.rejected',
      data: { fields: { time_of_order: '2026-03-11T18:40:07.000Z', default_currency: 'RUB' } },
    });
    const zoneless = await actionOf('advcake', `${ORDER}&date=2026-03-11T21:40:07`);
    expect(zoneless.fields['time_of_order']).toBe('2026-03-11T21:40:07');
  });
});

describe('a network like Travelpayouts', () => {
  const ORDER = 'sub_id=u-3&booking=100:14358982146&campaign_id=100&action_type=flight';

  test('has no id: an action is told by what stays the same through its statuses', async () => {
    const held = await eventOf('travelpayouts', `${ORDER}&action_state=processing&profit=10.10`);
    const paid = await eventOf('travelpayouts', `${ORDER}&action_state=paid&profit=9`);
    const hotel = ORDER.replace('flight', 'hotel');
    const other = await eventOf('travelpayouts', `${hotel}&action_state=paid&profit=9`);
    expect([held.type, paid.type]).toEqual(['affiliate.pending', 'affiliate.completed']);
    expect(paid.subject).toBe(held.subject);
    expect(other.subject).not.toBe(held.subject);
    expect(paid.data).toMatchObject({ commission: { asset: 'EUR', amount: '9' } });
  });

  test('writes its times as milliseconds', async () => {
    const { fields } = await actionOf(
      'travelpayouts',
      `${ORDER}&action_state=paid&booked_at=1773254407250`,
    );
    expect(fields['time_of_order']).toBe('2026-03-11T18:40:07.250Z');
    const odd = await actionOf('travelpayouts', `${ORDER}&action_state=paid&booked_at=yesterday`);
    expect(odd.fields['time_of_order']).toBe('yesterday');
  });

  test('says things that are not about money', async () => {
    const outcome = await send('travelpayouts', `${ORDER}&action_state=viewed`);
    expect(outcome).toEqual({ kind: 'ignored', reason: 'status' });
  });

  test('may use one of our names for something else', async () => {
    const action = await actionOf('travelpayouts', `${ORDER}&action_state=paid&uniq_id=theirs`);
    expect(action).toMatchObject({ actionKind: 'synthetic', fields: { their_uniq_id: 'theirs' } });
  });
});

describe('mappings', () => {
  const valid = {
    partner: 'shopnet',
    parameters: { click_id: 'c', order_number: 'o', order_status: 's', uniq_id: 'i' },
    statuses: { ok: 'completed' },
  };
  const load = (mapping: unknown, tokens: string[] = []) =>
    loadNetworks({
      AFFILIATE_NETWORKS: typeof mapping === 'string' ? mapping : JSON.stringify([mapping]),
      AFFILIATE_TOKENS: tokens,
      EPN_DEFAULT_CURRENCY: 'RUB',
    });

  test('may stand in the environment, and accept while the ledger is down unless they say otherwise', () => {
    expect(load(valid)).toMatchObject([{ partner: 'shopnet', tokens: [], ledgerDown: 'accept' }]);
    expect(load({ ...valid, ledgerDown: 'refuse' })).toMatchObject([{ ledgerDown: 'refuse' }]);
  });

  test.each<[string, unknown, RegExp]>([
    ['a name that is taken', { ...valid, partner: 'epn' }, /partner: /],
    ['no status', { ...valid, statuses: {} }, /statuses: /],
    ['a status in capitals', { ...valid, statuses: { OK: 'completed' } }, /statuses: /],
    ['a status of its own', { ...valid, statuses: { ok: 'paid' } }, /statuses: /],
    [
      'a field of its own',
      { ...valid, parameters: { ...valid.parameters, x: 'y' } },
      /parameters: /,
    ],
    [
      'no click',
      { ...valid, parameters: { order_number: 'o', order_status: 's' } },
      /parameters: /,
    ],
    [
      'nothing to tell actions by',
      { ...valid, parameters: { ...valid.parameters, uniq_id: undefined } },
      /identity: /,
    ],
    ['an unknown key', { ...valid, statusses: {} }, /means nothing/],
    ['no JSON', '{secret', /AFFILIATE_NETWORKS: an object/],
  ])('are refused for %s, without a quotation', (_case, mapping, words) => {
    expect(() => load(mapping)).toThrow(ConfigError);
    expect(() => load(mapping)).toThrow(words);
    expect(() => load(mapping)).not.toThrow(/secret|statusses/);
  });

  test('are missed where a token has none, and may not be there twice', () => {
    expect(() => load(valid, [`other:${TOKEN}`])).toThrow(/no mapping of other/);
    expect(() => load(JSON.stringify([valid, valid]))).toThrow(/shopnet is there twice/);
    const folder = { ...config, AFFILIATE_NETWORKS_DIR: join(EXAMPLES, 'missing') };
    expect(() => loadNetworks(folder)).toThrow(/AFFILIATE_NETWORKS_DIR/);
  });
});
