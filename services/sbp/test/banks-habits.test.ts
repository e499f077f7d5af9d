import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  callbackStatuses,
  createSbpDatabase,
  DOUBLES,
  getStatus,
  giveBackByHand,
  passTime,
  payAt,
  post,
  postPayment,
  startTestSbp,
  turn,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

// What banks do that their documentation does not say, and a service that was away meanwhile.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let database: SbpDatabase;
let sbp: RunningSbp;
let road: Road;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database, { timeoutMs: 10_000 });
  road = await openRoad(sbp.url);
});
afterAll(async () => {
  await road.close();
  await sbp.close();
  await database.drop();
});
beforeEach(() => (road.isOpen = true));

const WELL_BEHAVED = {
  callbacks: 'deliver',
  casing: 'as-is',
  unknownFields: false,
  retries: 'quick',
  delayMs: 0,
  showAfterMs: 0,
  shownAs: 'unpaid',
};

/** What each says of a payment that is under way; two have no word of their own for it. */
const UNDER_WAY: Readonly<Record<string, string>> = {
  raiffeisen: '"paymentStatus":"IN_PROGRESS"',
  tbank: '"Status":"CONFIRMING"',
  yookassa: '"status":"pending"',
  tochka: '"status":"InProgress"',
  bridge: '"status":"pending"',
};

describe.each(Object.entries(DOUBLES))('%s', (provider, double) => {
  const bank = { sandboxUrl: '', double };
  beforeEach(async () => {
    Object.assign(bank, { sandboxUrl: sbp.sandboxUrl });
    const callbackUrl = `${road.url}/webhook/sbp/${provider}`;
    await turn(bank, { ...WELL_BEHAVED, callbackUrl });
  });

  test.each(['pascal', 'camel'])(
    'is heard in %s case, with fields that nobody knows',
    async (casing) => {
      await turn(bank, { casing, unknownFields: true });
      const qrId = await order(casing);
      await payAt(bank, qrId);
      await untilStatus(casing, 'paid');
      // The order is paid before the bank has read its answer.
      const tries = await waitFor(async () => {
        const last = (await callbackStatuses(bank)).at(-1) ?? [];
        return last.length > 0 && last;
      });
      expect(tries).toEqual([200]);
    },
  );

  test('repeats itself until a service that was away is back, or is asked by it', async () => {
    await turn(bank, { retries: 'bank' });
    road.isOpen = false;
    const qrId = await order('outage');
    await payAt(bank, qrId);
    await passTime(sbp, bank, 3 * HOUR_MS);
    const tries = (await callbackStatuses(bank)).at(-1) ?? [];
    expect(new Set(tries)).toEqual(new Set([503]));
    expect((await getStatus(sbp, id('outage'))).body['status']).toBe('pending');

    road.isOpen = true;
    await passTime(sbp, bank, 6 * HOUR_MS);
    // Tochka gives up after five minutes: what it had to say is found by looking.
    const isHeard = (await callbackStatuses(bank)).at(-1)?.at(-1) === 200;
    expect(isHeard).toBe(provider !== 'tochka');
    if (!isHeard) await sbp.looker.lookAtDue();
    await untilStatus('outage', 'paid');
  });

  test('takes the money at the last moment and tells of it when the code has expired', async () => {
    await turn(bank, { delayMs: 90_000, showAfterMs: 65_000 });
    const qrId = await order('race');
    await passTime(sbp, bank, HOUR_MS - 1_000);
    await payAt(bank, qrId);
    await passTime(sbp, bank, MINUTE_MS + 2_000);
    await sbp.looker.lookAtDue();
    await untilStatus('race', 'expired');
    await passTime(sbp, bank, 30_000);
    await untilStatus('race', 'paid');
    expect(eventsOf('race')).toEqual(['payment.expired', 'payment.paid']);
  });

  test('says for a while that a payment is under way, and then that it is made', async () => {
    await turn(bank, { showAfterMs: 30_000, shownAs: 'under-way' });
    const qrId = await order('under-way');
    await payAt(bank, qrId);
    const { paymentId, createdAt } = (await sbp.attempts.find(id('under-way'))) ?? {};
    const state = await sbp.providers[provider]?.getState(paymentId ?? '', createdAt);
    expect(state?.status).toBe('pending');
    expect(state?.answers.join('\n')).toContain(UNDER_WAY[provider]);
    expect((await getStatus(sbp, id('under-way'))).body['status']).toBe('pending');
    await waitFor(async () => {
      await passTime(sbp, bank, 10_000);
      await sbp.looker.lookAtDue();
      return (await getStatus(sbp, id('under-way'))).body['status'] === 'paid';
    });
    expect(eventsOf('under-way')).toEqual(['payment.paid']);
  });

  test('tells of a refund before it has told of the payment, and both are booked', async () => {
    // The others send no callback of a refund.
    if (provider !== 'tbank' && provider !== 'yookassa') return;
    await turn(bank, { callbacks: 'drop' });
    const qrId = await order('reordered');
    await payAt(bank, qrId);
    await turn(bank, { callbacks: 'deliver' });
    // Somebody gives the money back in the bank's cabinet, before we have looked at all.
    await giveBackByHand(sbp, id('reordered'), 10_000n);
    await untilStatus('reordered', 'refunded');
    expect(eventsOf('reordered')).toEqual(['payment.paid', 'payment.refunded']);
  });

  test('is asked days later, when all of us were away since before the payment', async () => {
    await turn(bank, { callbacks: 'drop' });
    const qrId = await order('days');
    await payAt(bank, qrId);
    await passTime(sbp, bank, 5 * DAY_MS);
    await sbp.looker.lookAtDue();
    await untilStatus('days', 'paid');
    expect(eventsOf('days')).toEqual(['payment.paid']);
    if (provider !== 'tochka') return;
    // The operation's number came with the list, and a refund can name it.
    const refund = await post(sbp, `/api/payment/${id('days')}/refund`, { refundId: 'r' });
    expect(refund.body['status']).toBe('succeeded');
  });

  const id = (name: string): string => `${provider}-${name}`;

  async function order(name: string): Promise<string> {
    const { body } = await postPayment(sbp, { amount: 100, orderId: id(name), provider });
    return String(body['qrcId']);
  }

  async function untilStatus(name: string, status: string): Promise<void> {
    const look = async () => (await getStatus(sbp, id(name))).body['status'] === status;
    await waitFor(look, { what: `${id(name)} to be ${status}` });
  }

  function eventsOf(name: string): readonly string[] {
    return sbp.events
      .filter(({ data }) => (data as { reference?: string }).reference === id(name))
      .map(({ type }) => type);
  }
});

test('without the customer’s code at Tochka, what is older than a day is over', async () => {
  const poor = await startTestSbp(database, { env: { TOCHKA_CUSTOMER_CODE: '' } });
  const bank = { sandboxUrl: poor.sandboxUrl, double: 'tochka' };
  const wanted = { amount: 100, orderId: 'poor', provider: 'tochka' };
  const { body } = await postPayment(poor, wanted);
  await turn(bank, { callbacks: 'drop' });
  await payAt(bank, String(body['qrcId']));
  await passTime(poor, bank, 5 * DAY_MS);
  await poor.looker.lookAtDue();
  expect((await getStatus(poor, 'poor')).body['status']).toBe('expired');
  await poor.close();
});

/** The way from the banks to the service: closed, it answers 503 as a proxy does in front of nothing. */
interface Road {
  readonly url: string;
  isOpen: boolean;
  readonly close: () => Promise<void>;
}

async function openRoad(to: string): Promise<Road> {
  const server: Server = createServer((request, response) => {
    if (!opened.isOpen) return void response.writeHead(503).end();
    const { method = 'GET', headers, url = '/' } = request;
    const init = { method, headers: headers as Record<string, string>, duplex: 'half' as const };
    void fetch(`${to}${url}`, { ...init, body: request }).then(async (answer) => {
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const opened: Road = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isOpen: true,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return opened;
}
