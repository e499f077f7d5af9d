import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { allKeys } from '../../cli/src/configuration/keys.ts';
import { allBooked } from '../rig/books.ts';
import {
  cryptobot,
  epn,
  orderSbp,
  payQr,
  refreshConfigs,
  telegram,
  type Answer,
} from '../rig/partners.ts';
import { allAt, EVERYTHING } from '../rig/everything.ts';
import { everWrittenTo, everythingIn } from '../rig/redis-dump.ts';
import { NAMES, startRig, type Rig } from '../rig/rig.ts';
import { PANEL_TOKEN, SECRETS } from '../rig/secrets.ts';

/** The path of a URL that is called and fails. */
const HEARTBEAT = 'ping/canary-0b1e7c52-heartbeat';

/** Every key of every schema that is a secret, or holds one. */
const SECRET_KEYS = allKeys()
  .filter(({ isSecret, readers }) => isSecret && readers.some((reader) => reader !== 'compose'))
  .map(({ name }) => name);

/** What the value of a key is known by where it might leak. */
function secretsIn(name: string, value: string): readonly string[] {
  if (name === 'PANELS') return [PANEL_TOKEN];
  if (name === 'HEARTBEAT_URL') return [HEARTBEAT];
  if (name.endsWith('_URL')) return [decodeURIComponent(new URL(value).password)];
  return value.split(',').map((each) => each.replace(/^(?:[a-z]+|\d+):/, '').replace('whsec_', ''));
}

/** Of nobody. */
const PERSON = {
  phone: '+79000000153',
  email: 'kanareykin@buyer.test',
  name: 'Канарейкин',
  card: '2200000000000061',
  comment: 'позвоните-мне-канарейка',
  ip: '203.0.113.153',
};

let rig: Rig;
let secrets: readonly string[];
let everything: readonly string[];
let nowhere: ReturnType<typeof createServer>;
const answers: string[] = [];

beforeAll(async () => {
  // A partner that is never well: what goes there fails, and failures are what is logged.
  nowhere = createServer((_request, response) => void response.writeHead(500).end('no'));
  nowhere.listen(0, '127.0.0.1');
  await once(nowhere, 'listening');
  const away = `http://127.0.0.1:${(nowhere.address() as AddressInfo).port}`;
  rig = await startRig(NAMES, {
    ...EVERYTHING,
    ...allAt(away),
    LOG_LEVEL: 'debug',
    HEARTBEAT_URL: `${away}/${HEARTBEAT}`,
  });
  const held = SECRET_KEYS.flatMap((name) => secretsIn(name, rig.env[name] ?? ''));
  secrets = [...held, EVERYTHING.CARD_NUMBER, EVERYTHING.CARD_OWNER];
  everything = [...secrets, ...Object.values(PERSON)];
}, 120_000);
afterAll(async () => {
  nowhere.close();
  await rig.close();
});

test('every key of a schema that holds a secret is set here, and looked for', () => {
  expect(SECRET_KEYS.filter((name) => rig.env[name] === undefined)).toEqual([]);
  expect(SECRET_KEYS.length).toBeGreaterThan(20);
  expect(secrets.filter((secret) => secret.length <= 8)).toEqual([]);
  expect(new Set(secrets).size).toBeGreaterThanOrEqual(SECRET_KEYS.length);
});

test('what partners send, right and wrong, is booked or refused, with secrets and people in it', async () => {
  const ids = await payments();
  await mistakes();
  await orders();
  await allBooked(rig, ids);
  await cryptobot(rig, `{"senseless":"${PERSON.phone}",`);
  await waitFor(async () => (await rig.mails()).length > 0, { timeoutMs: 30_000, what: 'a mail' });
  for (const failure of ['was not delivered', 'a heartbeat failed']) {
    await waitFor(() => rig.processes.get('courier')?.log().includes(failure), {
      timeoutMs: 30_000,
      what: 'the courier to have tried',
    });
  }
});

test('no secret and nobody is in any log line', () => {
  for (const process of rig.processes.values())
    expectClean(process.name, process.log(), everything);
});

test('no secret and nobody is in any figure of /metrics or /ready', async () => {
  for (const base of Object.values(rig.metricsUrl)) {
    expectClean(base, await textOf(`${base}/metrics`), everything);
    expectClean(base, await textOf(`${base}/ready`), everything);
  }
});

test('no secret and nobody is in any mail', async () => {
  expectClean('mail', (await rig.mails()).map(decoded).join('\n'), everything);
});

test('no secret and nobody is in any answer to a mistake', () => {
  expect(answers.length).toBeGreaterThan(15);
  expectClean('answers', answers.join('\n'), everything);
});

test('no secret was ever written to Redis, and nobody is left there', async () => {
  await rig.stop('crypto');
  const written = await everWrittenTo(rig.redis.url);
  expect(written).toContain('payment.paid');
  expectClean('the history of Redis', written, secrets);
  expectClean('Redis', await everythingIn(rig.redis.url), everything);
});

function expectClean(where: string, text: string, forbidden: readonly string[]): void {
  expect(text.length).toBeGreaterThan(0);
  const found = forbidden.flatMap((value) => {
    const at = text.indexOf(value);
    return at === -1
      ? []
      : [`${value} in ${where}: …${text.slice(Math.max(0, at - 200), at + 200)}…`];
  });
  expect(found).toEqual([]);
}

/** Payments of a person who says too much. */
async function payments(): Promise<readonly string[]> {
  const from = { id: 5153, is_bot: false, first_name: PERSON.name, username: PERSON.email };
  const payment = {
    currency: 'XTR',
    total_amount: 150,
    invoice_payload: '{"telegram_id":5153,"amount_ndn":1500}',
    telegram_payment_charge_id: 'charge-of-the-canary',
    provider_payment_charge_id: PERSON.card,
    order_info: { name: PERSON.name, phone_number: PERSON.phone, email: PERSON.email },
  };
  const chat = { id: 5153, type: 'private', first_name: PERSON.name };
  const message = { message_id: 1, date: 1_791_206_105, from, chat, successful_payment: payment };
  const invoice = {
    invoice_id: 5153,
    status: 'paid',
    asset: 'USDT',
    amount: '5',
    comment: PERSON.comment,
    payload: 'x',
  };
  const postback = {
    click_id: 'c-153',
    order_number: 'o-153',
    uniq_id: 'u-153',
    order_status: 'completed',
    commission_fee: '1',
    ip: PERSON.ip,
    user_agent: PERSON.comment,
    sub5: PERSON.phone,
  };
  const tell = (ask: () => Promise<Answer>): Promise<Answer> =>
    waitFor(async () => {
      const answer = await ask();
      return answer.status === 200 && answer;
    });
  const said = await Promise.all([
    tell(() => telegram(rig, JSON.stringify({ update_id: 153, message }))),
    tell(() => cryptobot(rig, JSON.stringify({ update_type: 'invoice_paid', payload: invoice }))),
    tell(() => epn(rig, postback)),
  ]);
  return said.map(({ body }) => String(body['id']));
}

/** Every answer is kept: none may repeat what was wrong. */
async function mistakes(): Promise<void> {
  const person = JSON.stringify(PERSON);
  const json = { 'content-type': 'application/json' };
  const shop = { ...json, authorization: `Bearer ${SECRETS.WEBHOOK_API_TOKEN}` };
  const admin = { ...json, authorization: `Bearer ${SECRETS.ADMIN_API_KEY}` };
  const api = { ...json, authorization: `Bearer ${SECRETS.CRYPTO_API_TOKEN}` };
  const ledger = { authorization: `Bearer ${SECRETS.LEDGER_API_TOKEN}` };
  const { sbp, crypto, epn: epnUrl, admin: adminUrl, ledger: ledgerUrl } = rig.url;
  const token = SECRETS.EPN_SECRET_TOKEN;
  const half = (secret: string): string => `Bearer ${secret.slice(0, -1)}`;
  const asks: readonly (readonly [string, RequestInit])[] = [
    [`${sbp}/api/payment`, { method: 'POST', headers: shop, body: `{"amount":"${PERSON.phone}"` }],
    [`${sbp}/api/payment`, { method: 'POST', headers: shop, body: person }],
    [
      `${sbp}/api/payment`,
      {
        method: 'POST',
        headers: { ...json, authorization: half(SECRETS.WEBHOOK_API_TOKEN) },
        body: person,
      },
    ],
    [`${sbp}/api/status/${encodeURIComponent(PERSON.email)}`, { headers: shop }],
    [
      `${sbp}/webhook/sbp/raiffeisen`,
      {
        method: 'POST',
        headers: { ...json, 'x-api-signature-sha256': SECRETS.RAIFFEISEN_SECRET_KEY },
        body: person,
      },
    ],
    [
      `${sbp}/webhook/sbp/tbank`,
      {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ ...PERSON, Token: EVERYTHING.TBANK_PASSWORD }),
      },
    ],
    [`${sbp}/pay/${SECRETS.WEBHOOK_API_TOKEN}`, {}],
    [
      `${crypto}/webhook/telegram`,
      {
        method: 'POST',
        headers: {
          ...json,
          'x-telegram-bot-api-secret-token': `${SECRETS.TELEGRAM_WEBHOOK_SECRET}x`,
        },
        body: person,
      },
    ],
    [
      `${crypto}/webhook/telegram`,
      {
        method: 'POST',
        headers: { ...json, 'x-telegram-bot-api-secret-token': SECRETS.TELEGRAM_WEBHOOK_SECRET },
        body: person,
      },
    ],
    [
      `${crypto}/webhook/cryptobot`,
      {
        method: 'POST',
        headers: { ...json, 'crypto-pay-api-signature': SECRETS.CRYPTOBOT_TOKEN },
        body: person,
      },
    ],
    [`${crypto}/api/crypto/invoice`, { method: 'POST', headers: api, body: person }],
    [`${crypto}/api/stars/invoice`, { method: 'POST', headers: api, body: `[${person}` }],
    [
      `${crypto}/api/balance`,
      { headers: { authorization: `tma ${PERSON.email}&hash=${SECRETS.TELEGRAM_BOT_TOKEN}` } },
    ],
    [`${epnUrl}/webhook/${token}?click_id=${PERSON.email}`, {}],
    [`${epnUrl}/webhook/${token}x?click_id=${PERSON.email}`, {}],
    [
      `${epnUrl}/webhook/${token}/${EVERYTHING.AFFILIATE_TOKENS}?ip=${PERSON.ip}`,
      { method: 'PUT' },
    ],
    [
      `${epnUrl}/svix/epn`,
      {
        method: 'POST',
        headers: { ...json, 'svix-id': 'x', 'svix-signature': `v1,${EVERYTHING.SVIX_SECRETS}` },
        body: person,
      },
    ],
    [`${adminUrl}/admin/purchases`, { method: 'POST', headers: admin, body: person }],
    [
      `${adminUrl}/admin/servers`,
      {
        method: 'POST',
        headers: admin,
        body: JSON.stringify({ password: EVERYTHING.FULFILMENT_SECRET, ...PERSON }),
      },
    ],
    [
      `${adminUrl}/admin/update_configs/1`,
      { method: 'POST', headers: { authorization: half(SECRETS.ADMIN_API_KEY) } },
    ],
    [
      `${ledgerUrl}/api/ledger/balances/${encodeURIComponent(PERSON.email)}`,
      { headers: { authorization: half(SECRETS.LEDGER_API_TOKEN) } },
    ],
    [`${ledgerUrl}/api/ledger/events/${encodeURIComponent(PERSON.email)}`, { headers: ledger }],
  ];
  for (const [url, init] of asks) {
    const response = await fetch(url, { redirect: 'manual', ...init });
    answers.push(
      `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`,
    );
  }
}

/** At every provider: those that are never well fail with their credentials at hand. */
async function orders(): Promise<void> {
  const made = await orderSbp(rig, 'canary-order', '10');
  await payQr(rig, String(made.body['qrcId']), 10);
  await refreshConfigs(rig, '1');
  const authorization = { authorization: `Bearer ${SECRETS.WEBHOOK_API_TOKEN}` };
  const headers = { ...authorization, 'content-type': 'application/json' };
  for (const provider of ['tbank', 'yookassa', 'tochka', 'bridge']) {
    const description = `${PERSON.name} ${PERSON.phone}`;
    const body = JSON.stringify({
      amount: 10,
      orderId: `canary-${provider}`,
      provider,
      description,
    });
    const response = await fetch(`${rig.url.sbp}/api/payment`, { method: 'POST', headers, body });
    answers.push(`${response.status} ${await response.text()}`);
  }
  const body = JSON.stringify({ amount: '5', asset: 'USDT', orderId: 'canary-invoice' });
  const api = {
    authorization: `Bearer ${SECRETS.CRYPTO_API_TOKEN}`,
    'content-type': 'application/json',
  };
  const invoice = await fetch(`${rig.url.crypto}/api/crypto/invoice`, {
    method: 'POST',
    headers: api,
    body,
  });
  answers.push(`${invoice.status} ${await invoice.text()}`);
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** Bodies of mails are wrapped, and may be quoted-printable or base64. */
function decoded(mail: string): string {
  const plain = mail
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/(?:=[0-9A-F]{2})+/g, (bytes) =>
      Buffer.from(bytes.replaceAll('=', ''), 'hex').toString(),
    );
  const inBase64 = mail.match(/(?:^[A-Za-z0-9+/=]{60,}\r?\n)+/gm) ?? [];
  return [mail, plain, ...inBase64.map((text) => Buffer.from(text, 'base64').toString())].join(
    '\n',
  );
}
