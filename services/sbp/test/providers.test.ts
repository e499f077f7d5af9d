import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  BANK_KEY,
  callbackStatuses,
  createSbpDatabase,
  DOUBLES,
  getStatus,
  notify,
  payAt,
  post,
  postPayment,
  sandboxQrs,
  startTestSbp,
  turn,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

const HOUR_MS = 3_600_000;

let database: SbpDatabase;
let sbp: RunningSbp;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database);
});
afterAll(async () => {
  await sbp.close();
  await database.drop();
});

/** 140 characters; the 128th is one that must not be cut in two. */
const DESCRIPTION = `${'я'.repeat(127)}😀${'z'.repeat(12)}`;
const RETURN_URL = 'https://shop.example/back?order=1';

/** What each is told of an order besides the sum: as much as it takes. */
const TOLD: Readonly<Record<string, object>> = {
  raiffeisen: { paymentDetails: DESCRIPTION, redirectUrl: RETURN_URL },
  tbank: {
    Description: DESCRIPTION.slice(0, 140),
    SuccessURL: RETURN_URL,
    FailURL: RETURN_URL,
  },
  yookassa: {
    description: 'я'.repeat(127),
    confirmation: { type: 'qr', return_url: RETURN_URL },
  },
  tochka: { paymentPurpose: DESCRIPTION.slice(0, 140), redirectUrl: RETURN_URL },
  bridge: { cardNumber: '2200000000000053', cardOwner: 'IVAN IVANOV' },
};

/** What a provider can do beside making codes. */
interface Able {
  readonly refund: boolean;
  readonly cancel: boolean;
  /** Of a lost answer: the code again; another one, for nobody has seen the lost one; or nothing. */
  readonly recovers: 'same' | 'other' | 'no';
}
const ABLE: Readonly<Record<string, Able>> = {
  raiffeisen: { refund: true, cancel: true, recovers: 'no' },
  tbank: { refund: true, cancel: true, recovers: 'same' },
  yookassa: { refund: true, cancel: false, recovers: 'same' },
  tochka: { refund: true, cancel: false, recovers: 'other' },
  bridge: { refund: false, cancel: false, recovers: 'same' },
};

describe.each(Object.entries(DOUBLES))('%s', (provider, double) => {
  const able = ABLE[provider] ?? { refund: false, cancel: false, recovers: 'no' };
  const bank = (): { sandboxUrl: string; double: string } => ({
    sandboxUrl: sbp.sandboxUrl,
    double,
  });

  test('makes a code, hears that it is paid, acknowledges that, and books it once', async () => {
    const qrId = await order('paid', { description: 'Заказ', returnUrl: 'https://shop/back' });
    await turn(bank(), { copies: 3 });
    await payAt(bank(), qrId);
    await turn(bank(), { copies: 1 });
    await untilStatus('paid', 'paid');
    await waitFor(async () => (await callbackStatuses(bank())).every((tries) => tries.length > 0));
    // One try each: whatever this provider takes for an acknowledgement, it was given.
    for (const tries of await callbackStatuses(bank())) expect(tries).toEqual([200]);
    expect(eventsOf('paid')).toEqual(['payment.paid 100 RUB']);
  });

  test('is told what the payer sees and where the payer goes back, and the shop’s card', async () => {
    const qrId = await order('told', { description: DESCRIPTION, returnUrl: RETURN_URL });
    const made = (await sandboxQrs(bank())).find((qr) => qr.qrId === qrId);
    expect(made?.asked).toMatchObject(TOLD[provider] ?? {});
    const plain = await order('untold');
    const { asked } = (await sandboxQrs(bank())).find((qr) => qr.qrId === plain) ?? {};
    expect(JSON.stringify(asked)).not.toMatch(/https?:|null/);
  });

  test('stays paid, whatever it says afterwards', async () => {
    const qrId = await order('stays');
    await payAt(bank(), qrId);
    await untilStatus('stays', 'paid');
    await turn(bank(), { holdStatus: true });
    sbp.advance(HOUR_MS + 61_000);
    // As if it had expired without having been paid.
    expect(await notify(bank(), qrId, { paymentStatus: 'DECLINED' })).toBe(200);
    await untilRead('stays');
    await turn(bank(), { holdStatus: false });
    expect((await getStatus(sbp, id('stays'))).body['status']).toBe('paid');
    expect(eventsOf('stays')).toEqual(['payment.paid 100 RUB']);
  });

  test('hangs while its callback is answered: that waits for nobody', async () => {
    const qrId = await order('hangs');
    await turn(bank(), { callbacks: 'drop', faults: [{ on: 'read', kind: 'hang' }] });
    await payAt(bank(), qrId);
    const { attemptId = '' } = (await sbp.attempts.find(id('hangs'))) ?? {};
    const hasGivenUp = (): boolean =>
      sbp.lines.some((line) => line.includes('could not be read') && line.includes(attemptId));
    expect(await notify(bank(), qrId)).toBe(200);
    expect(hasGivenUp()).toBe(false);
    await waitFor(hasGivenUp);
    await turn(bank(), { callbacks: 'deliver' });
    await waitFor(async () => {
      sbp.advance(15_000);
      await sbp.looker.lookAtDue();
      return (await getStatus(sbp, id('hangs'))).body['status'] === 'paid';
    });
  });

  test('declines, and then takes the money all the same', async () => {
    const qrId = await order('declined');
    for (let tries = 0; tries < 3; tries += 1) await payAt(bank(), qrId, { decline: true });
    sbp.advance(5_000);
    await sbp.looker.lookAtDue();
    await untilStatus('declined', 'failed');
    await payAt(bank(), qrId);
    sbp.advance(60_000);
    await sbp.looker.lookAtDue();
    await untilStatus('declined', 'paid');
    expect(eventsOf('declined')).toEqual(['payment.failed', 'payment.paid 100 RUB']);
  });

  test('is paid at the last moment, which shows when the code has expired', async () => {
    const qrId = await order('late');
    await turn(bank(), { callbacks: 'drop', holdStatus: true });
    await payAt(bank(), qrId);
    sbp.advance(HOUR_MS + 61_000);
    await sbp.looker.lookAtDue();
    await untilStatus('late', 'expired');
    await turn(bank(), { callbacks: 'deliver', holdStatus: false });
    sbp.advance(10 * 60_000);
    await sbp.looker.lookAtDue();
    await untilStatus('late', 'paid');
    expect(eventsOf('late')).toEqual(['payment.expired', 'payment.paid 100 RUB']);
  });

  test('is not believed when the signature is wrong, and asked all the same', async () => {
    const qrId = await order('forged');
    await turn(bank(), { signature: 'wrong', retryDelaysMs: [] });
    const status = await notify(bank(), qrId);
    // YooKassa signs nothing: its word is a reason to look, and no more.
    expect(status).toBe(provider === 'yookassa' ? 200 : 401);
    await turn(bank(), { signature: 'good', retryDelaysMs: [10, 20, 50] });
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, id('forged'))).body['status']).toBe('pending');
  });

  test('loses its answer: never are two codes out there that somebody could pay', async () => {
    await turn(bank(), { faults: [{ on: 'create', kind: 'lose-answer' }] });
    const before = (await sandboxQrs(bank())).length;
    const wanted = { amount: 100, orderId: id('lost'), provider };
    expect((await postPayment(sbp, wanted)).status).toBe(500);
    const again = await postPayment(sbp, wanted);
    expect(again.status).toBe(able.recovers === 'no' ? 500 : 200);
    const made = (await sandboxQrs(bank())).slice(before);
    expect(made).toHaveLength(able.recovers === 'other' ? 2 : 1);
    if (able.recovers === 'no') return;
    // Of those that the bank has, one was told to the shop.
    expect(made.at(-1)?.qrId).toBe(again.body['qrcId']);
    expect((await postPayment(sbp, wanted)).body['qrcId']).toBe(again.body['qrcId']);
  });

  test('loses its answer and is too busy to be asked: its code stays the only one', async () => {
    if (able.recovers !== 'same') return;
    const on = provider === 'yookassa' ? 'create' : 'read';
    const kinds = ['http-503', 'http-429', 'http-500'];
    const lost = { on: 'create', kind: 'lose-answer' };
    await turn(bank(), { faults: [lost, ...kinds.map((kind) => ({ on, kind }))] });
    const before = (await sandboxQrs(bank())).length;
    const wanted = { amount: 100, orderId: id('busy'), provider };
    for (const _ of [lost, ...kinds]) {
      const { status, headers, body } = await postPayment(sbp, wanted);
      expect({ status, retry: headers.get('retry-after') }).toEqual({ status: 500, retry: '10' });
      expect(body['error']).toContain('was lost, and the next request asks for its code');
      expect((await getStatus(sbp, id('busy'))).body['status']).toBe('pending');
    }
    const found = await postPayment(sbp, wanted);
    const made = (await sandboxQrs(bank())).slice(before);
    expect(made.map(({ qrId }) => qrId)).toEqual([found.body['qrcId']]);
    await payAt(bank(), String(found.body['qrcId']));
    await untilStatus('busy', 'paid');
  });

  test('gives back a part and the rest, each once', async () => {
    const qrId = await order('refunded');
    await payAt(bank(), qrId);
    await untilStatus('refunded', 'paid');
    const part = await refund('refunded', { refundId: 'r1', amount: '30.50' });
    if (!able.refund) {
      expect(part.body).toMatchObject({ refundId: 'r1', status: 'failed', amount: 30.5 });
      expect([...sbp.incidents].some((kind) => kind.startsWith('sbp-refund-failed'))).toBe(true);
      return;
    }
    expect(part.body).toMatchObject({ success: true, refundId: 'r1', amount: 30.5 });
    await untilRefunded('refunded', 'partially_refunded');
    expect((await refund('refunded', { refundId: 'r1', amount: 30.5 })).status).toBe(200);
    expect((await refund('refunded', { refundId: 'r1', amount: 31 })).status).toBe(409);
    expect((await refund('refunded', { refundId: 'r2', amount: 70 })).status).toBe(409);

    expect((await refund('refunded', { refundId: 'r2' })).body).toMatchObject({ amount: 69.5 });
    await untilRefunded('refunded', 'refunded');
    expect(eventsOf('refunded')).toEqual([
      'payment.paid 100 RUB',
      'payment.refunded 30.5 RUB',
      'payment.refunded 69.5 RUB',
    ]);
    const qrs = await sandboxQrs(bank());
    expect(qrs.find((qr) => qr.qrId === qrId)).toMatchObject({
      refunds: [{ amount: '30.5' }, { amount: '69.5' }],
    });
  });

  test('whose answer to a refund is lost is never asked twice', async () => {
    if (!able.refund) return;
    const qrId = await order('once');
    await payAt(bank(), qrId);
    await untilStatus('once', 'paid');
    await turn(bank(), { faults: [{ on: 'refund', kind: 'lose-answer' }] });
    const sent = await refund('once', { refundId: 'r1' });
    expect(sent.body).toMatchObject({ status: 'pending', amount: 100 });
    expect((await refund('once', { refundId: 'r1' })).body).toMatchObject({ status: 'pending' });

    sbp.advance(HOUR_MS + 61_000);
    await sbp.refunder.lookAtDue();
    await sbp.refunder.lookAtDue();
    const qr = (await sandboxQrs(bank())).find((one) => one.qrId === qrId);
    expect(qr).toMatchObject({ refunds: [{ amount: '100' }] });
    if (provider === 'tochka') {
      // Nobody can tell without its number: a person is called.
      expect([...sbp.incidents].some((kind) => kind.startsWith('sbp-refund-unclear'))).toBe(true);
    } else {
      await untilRefunded('once', 'refunded');
      expect(eventsOf('once')).toEqual(['payment.paid 100 RUB', 'payment.refunded 100 RUB']);
    }
  });

  test('declines a refund later, and somebody is told', async () => {
    if (!able.refund) return;
    const qrId = await order('no-refund');
    await payAt(bank(), qrId);
    await untilStatus('no-refund', 'paid');
    await turn(bank(), { refunds: 'hold' });
    expect((await refund('no-refund', { refundId: 'r1' })).body['status']).toBe('pending');
    await turn(bank(), { refunds: 'decline' });
    sbp.advance(6_000);
    await waitFor(async () => {
      await sbp.refunder.lookAtDue();
      return (await refund('no-refund', { refundId: 'r1' })).body['status'] === 'failed';
    });
    expect([...sbp.incidents].some((kind) => kind.startsWith('sbp-refund-failed'))).toBe(true);
    await turn(bank(), { refunds: 'succeed' });
    expect((await getStatus(sbp, id('no-refund'))).body['status']).toBe('paid');
  });

  test('cancels a code, or says that it cannot', async () => {
    const qrId = await order('cancelled');
    const { status, body } = await post(sbp, `/api/payment/${id('cancelled')}/cancel`);
    if (!able.cancel) {
      expect({ status, error: body['error'] }).toEqual({
        status: 409,
        error: 'The provider cannot cancel a payment',
      });
      return;
    }
    expect({ status, word: body['status'] }).toEqual({ status: 200, word: 'failed' });
    await payAt(bank(), qrId);
    expect((await getStatus(sbp, id('cancelled'))).body['status']).toBe('failed');
    await post(sbp, `/api/payment/${id('refunded')}/cancel`).then((answer) =>
      expect(answer.status).toBe(409),
    );
  });

  test('cancels a code whose payment was declined: it could be tried again', async () => {
    if (!able.cancel) return;
    const qrId = await order('tried');
    for (let tries = 0; tries < 3; tries += 1) await payAt(bank(), qrId, { decline: true });
    await untilStatus('tried', 'failed');
    const { status, body } = await post(sbp, `/api/payment/${id('tried')}/cancel`);
    expect({ status, word: body['status'] }).toEqual({ status: 200, word: 'failed' });
    const found = (await sandboxQrs(bank())).find((qr) => qr.qrId === qrId);
    expect(found?.status).toBe('cancelled');
    expect((await post(sbp, `/api/payment/${id('tried')}/cancel`)).status).toBe(409);
  });

  const id = (name: string): string => `${provider}-${name}`;

  async function order(name: string, more: object = {}): Promise<string> {
    const wanted = { amount: 100, orderId: id(name), provider, ...more };
    const { status, body } = await postPayment(sbp, wanted);
    expect(status).toBe(200);
    return String(body['qrcId']);
  }

  function refund(name: string, body: object): ReturnType<typeof post> {
    return post(sbp, `/api/payment/${id(name)}/refund`, body);
  }

  async function untilStatus(name: string, status: string): Promise<void> {
    const look = async () => (await getStatus(sbp, id(name))).body['status'] === status;
    await waitFor(look, { what: `${id(name)} to be ${status}` });
  }

  /** Whatever was heard of a paid order has been looked at. */
  async function untilRead(name: string): Promise<void> {
    const look = async () => {
      await sbp.looker.lookAtDue();
      const { nextLookAt = null } = (await sbp.attempts.find(id(name))) ?? {};
      return nextLookAt === null;
    };
    await waitFor(look, { what: `${id(name)} to be read` });
  }

  async function untilRefunded(name: string, status: string): Promise<void> {
    sbp.advance(6_000);
    // A callback may be moving the same look at this moment: then it is made a moment later.
    const look = async () => {
      await sbp.refunder.lookAtDue();
      return (await getStatus(sbp, id(name))).body['status'] === status;
    };
    await waitFor(look, { what: `${id(name)} to be ${status}` });
  }

  function eventsOf(name: string): readonly string[] {
    return sbp.events.flatMap(({ type, data }) => {
      const { reference, paid, refunded } = data as unknown as Record<string, unknown>;
      if (reference !== id(name)) return [];
      const money = (refunded ?? paid ?? null) as { amount: string; asset: string } | null;
      return [money === null ? type : `${type} ${money.amount} ${money.asset}`];
    });
  }
});

test('no key of any provider was written to the log, and no card to an event', () => {
  expect(sbp.lines.join('\n')).not.toContain(BANK_KEY);
  expect(JSON.stringify(sbp.events)).not.toContain('2200000000000053');
});
