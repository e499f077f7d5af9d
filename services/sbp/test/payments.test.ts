import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { JournalUnavailable } from '@kopeck/runtime/journal';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  createSbpDatabase,
  getStatus,
  notify,
  pay,
  postPayment,
  startTestSbp,
  turn,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

const MINUTE_MS = 60_000;

let database: SbpDatabase;
beforeAll(async () => {
  database = await createSbpDatabase();
});
afterAll(() => database.drop());

let sbp: RunningSbp;
let qrId: string;
beforeEach(async () => {
  sbp = await startTestSbp(database);
  const { body } = await postPayment(sbp, { amount: '100.00', orderId: 'order-1' });
  qrId = String(body['qrcId']);
});
afterEach(() => sbp.close());

describe('a payment', () => {
  test('becomes an event and then the status, once its callback has come', async () => {
    await pay(sbp, qrId, { amount: 100 });
    const status = await untilStatus('paid');
    expect(status).toMatchObject({ amount: 100, paidAt: '2026-01-15T13:00:00', qrcId: qrId });

    expect(sbp.events).toHaveLength(2);
    expect(sbp.events[1]).toMatchObject({
      source: 'sbp',
      type: 'payment.paid',
      subject: `payment:sbp:raiffeisen:${qrId}`,
      time: '2026-01-15T13:00:00.043Z',
      data: {
        provider: 'raiffeisen',
        app: 'MA0000000001',
        paymentId: qrId,
        reference: 'order-1',
        paid: { asset: 'RUB', amount: '100' },
        fee: null,
      },
    });
    expect(sbp.events[1]?.evidence).toContain('paymentStatus');
  });

  test.each([0, 1, 2])(
    'is believed with %i decimals in the bank’s amount',
    async (amountDecimals) => {
      await turn(sbp, { amountDecimals });
      await pay(sbp, qrId);
      await untilStatus('paid');
      expect(paid()).toMatchObject([{ data: { paid: { asset: 'RUB', amount: '100' } } }]);
    },
  );

  test('that is told of ten times at once is one event', async () => {
    await turn(sbp, { copies: 10 });
    await pay(sbp, qrId);
    await untilStatus('paid');
    expect(paid()).toHaveLength(1);
  });

  test('whose callback was lost is found by looking', async () => {
    await turn(sbp, { callbacks: 'drop' });
    await pay(sbp, qrId);
    expect(await sbp.looker.lookAtDue()).toBe(0);

    sbp.advance(5_000);
    expect(await sbp.looker.lookAtDue()).toBe(1);
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('paid');
    sbp.advance(24 * 60 * MINUTE_MS);
    expect(await sbp.looker.lookAtDue()).toBe(0);
    expect(paid()).toHaveLength(1);
  });

  test('that shows at the bank only later is found then', async () => {
    await turn(sbp, { holdStatus: true });
    await pay(sbp, qrId);
    await waitFor(async () => (await sbp.looker.lookAtDue()) === 0);
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');

    await turn(sbp, { holdStatus: false });
    // The look that the callback has caused may still be under way.
    await waitFor(async () => {
      sbp.advance(5_000);
      await sbp.looker.lookAtDue();
      return (await getStatus(sbp, 'order-1')).body['status'] === 'paid';
    });
  });

  test('is not told to the shop before it is in the journal', async () => {
    sbp.journal.error = new JournalUnavailable('full');
    await pay(sbp, qrId);
    await waitFor(() => sbp.lines.some((line) => line.includes('could not be read')));
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');

    sbp.journal.error = null;
    sbp.advance(15_000);
    // The look that failed may not have given its lease back yet.
    await waitFor(async () => (await sbp.looker.lookAtDue()) === 1);
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('paid');
    expect(paid()).toHaveLength(1);
  });

  test('whose event was written and whose status was not is mended by the next look', async () => {
    await pay(sbp, qrId);
    await untilStatus('paid');
    await database.run(
      "UPDATE sbp_orders SET status = 'pending', next_look_at = '2026-01-15 13:00:00'",
    );
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('paid');
    expect(paid()).toHaveLength(1);
  });

  test('of another amount is booked as it is, and the shop is not told that it was paid', async () => {
    await turn(sbp, { claimedAmount: '99.99' });
    await pay(sbp, qrId);
    await waitFor(() => paid().length === 1);
    expect(paid()).toMatchObject([{ data: { paid: { asset: 'RUB', amount: '99.99' } } }]);
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');
  });

  test('is read again when the bank fails while it is read', async () => {
    await turn(sbp, { callbacks: 'drop', faults: [{ on: 'read', kind: 'lose-answer' }] });
    await pay(sbp, qrId);
    sbp.advance(5_000);
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');
    sbp.advance(15_000);
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('paid');
  });
});

describe('an order', () => {
  test('expires, and is paid all the same when the money comes late', async () => {
    await turn(sbp, { callbacks: 'drop', holdStatus: true });
    sbp.advance(59 * MINUTE_MS);
    await pay(sbp, qrId);
    sbp.advance(MINUTE_MS + 1_000);
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('expired');

    await turn(sbp, { holdStatus: false });
    sbp.advance(MINUTE_MS);
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('paid');
    expect(sbp.events.map(({ type }) => type)).toEqual([
      'order.created',
      'payment.expired',
      'payment.paid',
    ]);
  });

  test('that nobody pays is expired, by the bank’s word, and one event says so', async () => {
    sbp.advance(60 * MINUTE_MS + 1_000);
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('expired');
    await lookForADay();
    expect(sbp.events.map(({ type }) => type)).toEqual(['order.created', 'payment.expired']);
    expect(sbp.events[1]).toMatchObject({ data: { paid: null, reference: 'order-1' } });
  });

  test('whose payment is declined has failed, until the payer tries again', async () => {
    await pay(sbp, qrId, { decline: true });
    await untilStatus('failed');
    await pay(sbp, qrId);
    await untilStatus('paid');
    expect(sbp.events.map(({ type }) => type)).toEqual([
      'order.created',
      'payment.failed',
      'payment.paid',
    ]);
  });

  test('stays paid, whatever comes after', async () => {
    await pay(sbp, qrId);
    await untilStatus('paid');
    await notify(sbp, qrId, { paymentStatus: 'DECLINED' });
    await sbp.looker.lookAtDue();
    await lookForADay();
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('paid');
    expect(sbp.events).toHaveLength(2);
  });
});

async function untilStatus(status: string): Promise<Record<string, unknown>> {
  return await waitFor(async () => {
    const { body } = await getStatus(sbp, 'order-1');
    return body['status'] === status && body;
  });
}

function paid(): readonly object[] {
  return sbp.events.filter(({ type }) => type === 'payment.paid');
}

/** Moves the clock on in steps and looks after each, until long after the last look of the plan. */
async function lookForADay(): Promise<void> {
  for (let minutes = 0; minutes < 26 * 60; minutes += 30) {
    sbp.advance(30 * MINUTE_MS);
    await sbp.looker.lookAtDue();
  }
  expect(await sbp.looker.lookAtDue()).toBe(0);
}
