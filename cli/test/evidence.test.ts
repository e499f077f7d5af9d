import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { receive } from '@kopeck/core/receive';
import type { Delivery, Source } from '@kopeck/core/source';
import { paymentEvent } from '@kopeck/testing/build-event';
import { deliveryOf } from '@kopeck/testing/delivery';
import { cryptobotSource } from '../../services/crypto/src/cryptobot/source.ts';
import { telegramSource } from '../../services/crypto/src/telegram/source.ts';
import { epnNetwork } from '../../services/epn/src/epn/config.ts';
import { epnSource } from '../../services/epn/src/epn/source.ts';
import type { Network } from '../../services/epn/src/network.ts';
import type { ConfiguredNetwork } from '../../services/epn/src/network/config.ts';
import { loadNetworks } from '../../services/epn/src/load-networks.ts';
import { networkSource } from '../../services/epn/src/network/source.ts';
import { rowEvent } from '../../services/epn/src/stats/row-event.ts';
import { keyBytes } from '../../services/epn/src/svix/config.ts';
import { svixSource } from '../../services/epn/src/svix/source.ts';
import { sign } from '../../services/epn/src/svix/verify.ts';
import { checkEvidence } from '../src/evidence/check-evidence.ts';

const FIXTURES = new URL('../../services/crypto/test/fixtures/', import.meta.url);
const TOKEN = '31337:AAvectorTokenForUnitTestsOnly012345';
const SECRET = 'a-secret-for-this-test';
const EPN = 'epn-token-of-this-test_0123456789abcdef';
const AT = new Date('2026-10-05T12:35:03.000Z');

const cryptobot = cryptobotSource({ CRYPTOBOT_TOKEN: [TOKEN] });
const telegram = telegramSource({
  TELEGRAM_BOT_TOKEN: TOKEN,
  TELEGRAM_WEBHOOK_SECRET: [SECRET],
});
const epn = epnSource({ EPN_SECRET_TOKEN: [EPN], EPN_DEFAULT_CURRENCY: 'USD' });

/** What the receiver journals; null where it journals nothing. */
async function journaled<P, N, Q>(
  source: Source<P, N, Q>,
  delivery: Delivery,
): Promise<KopeckEvent | null> {
  const outcome = await receive(source, delivery, async () => 'accepted');
  return 'event' in outcome ? outcome.event : null;
}

function fromFile(name: string): Promise<KopeckEvent | null> {
  const body = readFileSync(new URL(name, FIXTURES));
  const key = createHash('sha256').update(TOKEN).digest();
  const signature = createHmac('sha256', key).update(body).digest('hex');
  return name.startsWith('tg-')
    ? journaled(telegram, deliveryOf({ body, headers: secretOf(SECRET) }))
    : journaled(
        cryptobot,
        deliveryOf({ body, headers: { 'crypto-pay-api-signature': signature } }),
      );
}

const secretOf = (secret: string) => ({ 'x-telegram-bot-api-secret-token': secret });
const postback = (query: string) =>
  journaled(epn, deliveryOf({ method: 'GET', path: `/webhook/${EPN}`, query }));

const NETWORKS = loadNetworks({
  AFFILIATE_NETWORKS_DIR: fileURLToPath(new URL('../../services/epn/networks/', import.meta.url)),
  AFFILIATE_TOKENS: [`admitad:admitad-${EPN}`],
  EPN_DEFAULT_CURRENCY: 'EUR',
});

const ADMITAD =
  'subid=u-1&order_id=A-77&admitad_id=9007199254740993&payment_sum=96.35&payment_status=approved';
const KEY = 'whsec_cGF5bWVudC1pbnRha2Utc3VpdGUtdGVzdC1rZXktMDE=';

/** A postback in a signed message, with the headers of Svix or of the standard. */
function inMessage(network: Network, query: string, prefix: 'svix' | 'webhook') {
  const body = Buffer.from(JSON.stringify({ type: 'affiliate.postback', data: { query } }));
  const timestamp = String(AT.getTime() / 1_000);
  const signature = sign(keyBytes(KEY), { id: 'msg_1', timestamp, body }).toString('base64');
  const headers = {
    [`${prefix}-id`]: 'msg_1',
    [`${prefix}-timestamp`]: timestamp,
    [`${prefix}-signature`]: `v1,${signature}`,
  };
  return journaled(svixSource(network, [KEY]), deliveryOf({ headers, body, receivedAt: AT }));
}

/** Each comes to an action of its own, by another door or of another network. */
function affiliateEvents(own: ConfiguredNetwork): readonly Promise<KopeckEvent | null>[] {
  const path = `/webhook/admitad/admitad-${EPN}`;
  return [
    postback(COMPLETED),
    postback('click_id={click_id}&order_number=O-1&order_status=approved'),
    inMessage(epnNetwork({ EPN_DEFAULT_CURRENCY: 'USD' }), `?${COMPLETED}`, 'svix'),
    inMessage(epnNetwork({ EPN_DEFAULT_CURRENCY: 'USD' }), COMPLETED, 'webhook'),
    inMessage(epnNetwork({ EPN_DEFAULT_CURRENCY: 'USD' }), 'order_status=approved', 'svix'),
    journaled(networkSource(own), deliveryOf({ method: 'GET', path, query: ADMITAD })),
    inMessage(own, ADMITAD, 'svix'),
  ];
}

const COMPLETED =
  'click_id=7&order_number=O-1&uniq_id=u-1&order_status=approved&commission_fee=96.35';

async function everyEvent(): Promise<readonly KopeckEvent[]> {
  const files = readdirSync(FIXTURES).filter((name) => /^(cb|tg)-/.test(name));
  const row = rowEvent(
    {
      id: 'u-2',
      attributes: { click_id: '7', order_number: 'O', order_status: 'approved', currency: 'RUB' },
    },
    epnNetwork({ EPN_DEFAULT_CURRENCY: 'RUB' }),
    AT,
  );
  const received = await Promise.all([
    ...files.map(fromFile),
    ...NETWORKS.filter(({ partner }) => partner === 'admitad').flatMap(affiliateEvents),
  ]);
  const events = [...received, row.kind === 'event' ? row.event : null, sbpEvent(PAID)];
  return events.filter((event) => event !== null);
}

const QR = { code: 'SUCCESS', qrId: 'AD1', payload: 'https://qr.nspk.ru/AD1?type=02' };
const PAID = [
  { ...QR, qrStatus: 'PAID' },
  {
    order: 'a'.repeat(32),
    paymentStatus: 'SUCCESS',
    amount: 100.5,
    currency: 'RUB',
    transactionDate: '2026-10-05T15:00:00+03:00',
  },
];

function sbpEvent(answers: readonly object[]): KopeckEvent {
  const evidence = { provider: 'raiffeisen', answers: answers.map((each) => JSON.stringify(each)) };
  return {
    ...paymentEvent('payment.paid', {
      source: 'sbp',
      paymentId: 'AD1',
      paid: { asset: 'RUB', amount: '100.5' },
    }),
    evidence: JSON.stringify(evidence),
  };
}

test('what every source makes of its raw bytes, its evidence comes to again', async () => {
  const events = await everyEvent();
  expect(new Set(events.map(({ source }) => source))).toEqual(
    new Set(['cryptobot', 'telegram', 'epn', 'sbp']),
  );
  expect(events.map(({ type }) => type)).toContain('quarantined');
  const partners = events.map(({ data }) => ('partner' in data ? data.partner : null));
  expect(partners.filter((partner) => partner === 'admitad')).toHaveLength(2);
  const messages = events.filter(({ data }) => 'messageId' in data && data.messageId === 'msg_1');
  expect(messages).toHaveLength(3);
  for (const event of events) {
    expect([event.id, await checkEvidence(event, NETWORKS)]).toEqual([event.id, 'same']);
  }
});

test('data or an identity that the raw bytes do not come to is found', async () => {
  for (const event of await everyEvent()) {
    const data = changed(event);
    expect([event.id, await checkEvidence({ ...event, data } as KopeckEvent, NETWORKS)]).toEqual([
      event.id,
      'other',
    ]);
  }
});

/** Another amount, or where there is none another word. */
function changed({ data }: KopeckEvent): unknown {
  for (const money of ['paid', 'refunded', 'commission'] as const) {
    if (money in data && data[money as never] !== null)
      return { ...data, [money]: { asset: 'RUB', amount: '1' } };
  }
  return { ...data, reason: 'another', user: 'another', clickId: 'another' };
}

test('of evidence that is gone, or of a network that is not configured any more, nothing is said', async () => {
  const [event] = await everyEvent();
  expect(event && (await checkEvidence({ ...event, evidence: '' }, []))).toBe('untold');
  const action = await postback(COMPLETED);
  const data = { ...action?.data, partner: 'admitad' };
  expect(await checkEvidence({ ...action, data } as KopeckEvent, [])).toBe('untold');
});
