import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { AffiliateAction } from '@kopeck/core/event';
import { EPN_MACROS } from '@kopeck/core/epn-macros';
import { epnPostback } from '@kopeck/sandbox/epn/epn';
import { waitFor } from '@kopeck/testing/wait-for';
import { keyBytes } from '../src/svix/config.ts';
import { sign } from '../src/svix/verify.ts';
import { ORDER, TOKEN } from './postbacks.ts';
import { runEpn, type RunningEpn } from './running-epn.ts';

const SIGNING_KEY = 'whsec_cGF5bWVudC1pbnRha2Utc3VpdGUtdGVzdC1rZXktMDE=';
const ADVCAKE = 'advcake-token_0123456789abcdefghijklmnop';

let epn: RunningEpn;
beforeAll(async () => {
  epn = await runEpn(inject('redisUrl'), {
    AFFILIATE_NETWORKS_DIR: join(import.meta.dirname, '..', 'networks'),
    AFFILIATE_TOKENS: `advcake:${ADVCAKE}`,
    SVIX_SECRETS: `epn:${SIGNING_KEY}`,
  });
});
afterAll(() => epn.close());

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

function actionOf({ body }: Answer): Promise<AffiliateAction> {
  return waitFor(async () => {
    const event = (await epn.queued()).find(({ id }) => id === body['id']);
    return event?.data as AffiliateAction | undefined;
  });
}

test('all 22 fields of a postback are where they belong, and what is personal is evidence alone', async () => {
  const others = {
    sub2: 'two',
    sub3: 'three',
    sub4: 'four',
    sub5: 'five',
    ipv6: '2001:db8::7',
    revenue: '2349.90',
    commission_fee: '96.350',
  };
  const order = { origin: epn.url, token: TOKEN, orderNumber: 'ALL-22', status: 'completed' };
  const url = epnPostback({ ...order, fields: others });
  expect([...new URL(url).searchParams.keys()]).toEqual([...EPN_MACROS]);
  const { fields, ...action } = await actionOf(await ask(url));
  expect(action).toEqual({
    partner: 'epn_bz',
    actionId: 'EPN-ALL-22',
    actionKind: 'native',
    clickId: '123',
    orderNumber: 'ALL-22',
    rawStatus: 'completed',
    commission: { asset: 'RUB', amount: '96.35' },
    revenue: { asset: 'RUB', amount: '2349.9' },
  });
  expect(fields).toEqual({
    offer_name: 'AliExpress RU&CIS',
    offer_type: 'aliexpress',
    offer_id: '1',
    type_id: '1',
    sub: 'tg',
    sub2: 'two',
    sub3: 'three',
    sub4: 'four',
    sub5: 'five',
    revenue: '2349.90',
    commission_fee: '96.350',
    currency: 'RUB',
    click_time: '2026-03-11 18:02:41',
    time_of_order: '2026-03-11 18:40:07',
    country_code: 'RU',
  });
});

test('a network like Advcake posts a form to its own door, and gets no answer to a GET', async () => {
  const url = `${epn.url}/webhook/advcake/${ADVCAKE}`;
  const form =
    'sub1=u-2&order=55&id=900&status=2&payment=1+234,50&date=2026-03-11T21:40:07%2B03:00';
  expect((await fetch(`${url}?${form}`)).status).toBe(405);
  const answer = await ask(url, { method: 'POST', body: new URLSearchParams(form) });
  expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
  expect(await actionOf(answer)).toMatchObject({
    partner: 'advcake',
    actionId: '900',
    commission: { asset: 'RUB', amount: '1234.5' },
    fields: { time_of_order: '2026-03-11T18:40:07.000Z' },
  });
});

test.each(['webhook', 'svix'])(
  'a delivery that is signed under the names %s-* is taken',
  async (name) => {
    const body = Buffer.from(
      JSON.stringify({ data: { query: `?${ORDER}&uniq_id=signed-${name}` } }),
    );
    const send = (signature: string, timestamp: string): Promise<Answer> =>
      ask(`${epn.url}/svix/epn`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [`${name}-id`]: `msg_${name}`,
          [`${name}-timestamp`]: timestamp,
          [`${name}-signature`]: signature,
        },
        body,
      });
    const seconds = Math.floor(Date.now() / 1_000);
    const signed = (at: number): string => {
      const proof = sign(keyBytes(SIGNING_KEY), { id: `msg_${name}`, timestamp: String(at), body });
      return `v1,${proof.toString('base64')}`;
    };
    const answer = await send(signed(seconds), String(seconds));
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect(await actionOf(answer)).toMatchObject({
      actionId: `signed-${name}`,
      messageId: `msg_${name}`,
    });
    const forged = await send(signed(seconds - 1), String(seconds));
    expect([
      forged.status,
      (await send(signed(seconds - 900), String(seconds - 900))).status,
    ]).toEqual([401, 401]);
  },
);
