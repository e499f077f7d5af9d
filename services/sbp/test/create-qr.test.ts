import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  BANK_KEY,
  createSbpDatabase,
  getStatus,
  kept,
  notify,
  pay,
  postPayment,
  sandboxQrs,
  startTestSbp,
  turn,
  type RunningSbp,
  type SandboxQr,
  type SbpDatabase,
} from './running-sbp.ts';

const ORDER = { amount: 100, orderId: 'order-1' };
const HOUR_MS = 3_600_000;

let database: SbpDatabase;
beforeAll(async () => {
  database = await createSbpDatabase();
});
afterAll(() => database.drop());

let sbp: RunningSbp;
beforeEach(async () => {
  // Patient, as the service is: on a busy machine the bank's answer takes its time, and one that is given
  // up may have made a code, after which no other is made.
  sbp = await startTestSbp(database, { timeoutMs: 15_000 });
});
afterEach(() => sbp.close());

/** One more copy, at the same bank, that soon gives up waiting for it. */
function hastyCopy(): Promise<RunningSbp> {
  const { sandboxUrl } = sbp;
  return startTestSbp(kept(database), { sandboxUrl, hasCallbacks: false, timeoutMs: 300 });
}

test('fifty requests for one order at once make one code', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => postPayment(sbp, ORDER)));

  const [{ qrId } = { qrId: '' }, ...others] = await sandboxQrs(sbp);
  expect(others).toEqual([]);
  for (const { status, body } of answers) {
    expect({ status, qrcId: body['qrcId'] }).toEqual({ status: 200, qrcId: qrId });
  }
  expect(sbp.events.map(({ type }) => type)).toEqual(['order.created']);
});

test('two copies of the service make one code, and look at it once', async () => {
  const twin = await startTestSbp(kept(database), {
    sandboxUrl: sbp.sandboxUrl,
    hasCallbacks: false,
    timeoutMs: 15_000,
  });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => postPayment(index % 2 === 0 ? sbp : twin, ORDER)),
  );
  expect(await sandboxQrs(sbp)).toHaveLength(1);
  expect(answers.filter(({ status }) => status !== 200).map(({ body }) => body)).toEqual([]);
  expect(new Set(answers.map(({ body }) => body['qrcId'])).size).toBe(1);

  await turn(sbp, { callbacks: 'drop' });
  await pay(sbp, answers[0]?.body['qrcId']);
  sbp.advance(5_000);
  twin.advance(5_000);
  await Promise.all([sbp, twin, sbp, twin].map(({ looker }) => looker.lookAtDue()));
  const events = [...sbp.events, ...twin.events];
  expect(events.filter(({ type }) => type === 'payment.paid')).toHaveLength(1);
  await twin.close();
});

test('requests at once with two amounts make one code, and the other amount is refused', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      postPayment(sbp, { ...ORDER, amount: 1 + (index % 2) }),
    ),
  );
  expect(await sandboxQrs(sbp)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(10);
});

describe('when the bank makes the code and its answer is lost', () => {
  test.each(['lose-answer', 'hang', 'slow-body'])(
    '(%s) no second one is made while that may live',
    async (kind) => {
      const hasty = await hastyCopy();
      await turn(sbp, { faults: [{ on: 'create', kind }] });
      const first = await postPayment(hasty, ORDER);
      expect(first.status).toBe(500);
      expect(first.body).toEqual({
        success: false,
        error:
          'Payment creation failed: the answer of raiffeisen was lost, and its code may be live until then; ' +
          'try again at 2026-01-15T14:01:00 UTC',
      });
      expect(first.headers.get('retry-after')).toBe('3660');

      expect((await postPayment(sbp, ORDER)).status).toBe(500);
      expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');
      expect(await sandboxQrs(sbp)).toHaveLength(1);
      await hasty.close();
    },
  );

  test('another one is made as soon as that is dead', async () => {
    await turn(sbp, { faults: [{ on: 'create', kind: 'lose-answer' }] });
    await postPayment(sbp, ORDER);
    sbp.advance(HOUR_MS + 61_000);

    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('failed');
    expect((await postPayment(sbp, ORDER)).status).toBe(200);
    const qrs = await sandboxQrs(sbp);
    expect(qrs.map(({ status }) => status)).toEqual(['expired', 'new']);
    expect(new Set(qrs.map(({ order }) => order)).size).toBe(2);
  });

  test('its callback tells the code, which then is the order’s', async () => {
    await turn(sbp, { faults: [{ on: 'create', kind: 'lose-answer' }] });
    await postPayment(sbp, ORDER);
    const [qr] = await sandboxQrs(sbp);
    await pay(sbp, qr?.qrId);

    await waitFor(async () => (await getStatus(sbp, 'order-1')).body['status'] === 'paid');
    expect((await postPayment(sbp, ORDER)).body).toMatchObject({ success: true, qrcId: qr?.qrId });
    expect(sbp.events.map(({ type }) => type)).toEqual(['order.created', 'payment.paid']);
  });

  test('a callback with a code of somebody else’s binds nothing, and the genuine one still does', async () => {
    await turn(sbp, {
      callbacks: 'drop',
      faults: [{ on: 'create', kind: 'lose-answer', times: 2 }],
    });
    await postPayment(sbp, ORDER);
    await postPayment(sbp, { ...ORDER, orderId: 'other' });
    const [{ qrId }, other] = (await sandboxQrs(sbp)) as [SandboxQr, SandboxQr];
    await pay(sbp, other.qrId);

    const unheardOf = `AD1000${'0'.repeat(26)}`;
    for (const foreign of [other.qrId, unheardOf]) {
      expect(await notify(sbp, qrId, { qrId: foreign })).toBe(200);
      await waitFor(async () => (await sbp.attempts.find('order-1'))?.paymentId === null);
    }
    expect(sbp.events.map(({ type }) => type)).toEqual(['order.created', 'order.created']);

    await pay(sbp, qrId);
    expect(await notify(sbp, qrId)).toBe(200);
    await waitFor(async () => (await getStatus(sbp, 'order-1')).body['status'] === 'paid');
    expect((await getStatus(sbp, 'other')).body['status']).toBe('pending');
  });

  test('a callback with a code that is another order’s is no reason to take it away', async () => {
    const { body } = await postPayment(sbp, { ...ORDER, orderId: 'other' });
    await turn(sbp, { callbacks: 'drop', faults: [{ on: 'create', kind: 'lose-answer' }] });
    await postPayment(sbp, ORDER);
    const lost = (await sandboxQrs(sbp)).at(-1);
    expect(await notify(sbp, String(lost?.qrId), { qrId: body['qrcId'] })).toBe(200);
    expect((await sbp.attempts.find('order-1'))?.paymentId).toBeNull();
    expect((await sbp.attempts.find('other'))?.paymentId).toBe(body['qrcId']);
  });
});

describe('when the bank makes no code', () => {
  test.each([
    ['error-200', 'raiffeisen answered ERROR.INVALID_REQUEST'],
    ['http-429', 'raiffeisen answered HTTP 429'],
    ['http-503', 'raiffeisen answered HTTP 503'],
  ])('(%s) the shop is told, and the next request makes one', async (kind, why) => {
    await turn(sbp, { faults: [{ on: 'create', kind }] });
    const { status, body } = await postPayment(sbp, ORDER);
    expect({ status, body }).toEqual({
      status: 500,
      body: { success: false, error: `Payment creation failed: ${why}` },
    });
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('failed');

    expect((await postPayment(sbp, ORDER)).status).toBe(200);
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');
    expect(await sandboxQrs(sbp)).toHaveLength(1);
  });

  test.each(['http-500', 'not-json'])(
    '(%s) but might have, it is not asked again',
    async (kind) => {
      await turn(sbp, { faults: [{ on: 'create', kind }] });
      expect((await postPayment(sbp, ORDER)).status).toBe(500);
      expect((await postPayment(sbp, ORDER)).body['error']).toContain(
        'the answer of raiffeisen was lost',
      );
    },
  );
});

describe('when a copy of the service dies over an order', () => {
  const attempt = {
    orderId: 'order-1',
    kopecks: 10_000n,
    provider: 'raiffeisen',
    description: null,
    returnUrl: null,
    grants: [],
    payToken: 'p'.repeat(22),
  } as const;
  const attemptId = 'f'.repeat(32);
  const createdAt = new Date('2026-01-15T13:00:00Z');
  const leaseUntil = new Date('2026-01-15T13:01:00Z');

  test('before it has asked the bank, another makes the code as soon as the lease is over', async () => {
    await sbp.attempts.insert({ ...attempt, attemptId, createdAt, leaseUntil });
    const waiting = postPayment(sbp, ORDER);
    expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');
    expect(await sandboxQrs(sbp)).toEqual([]);

    sbp.advance(61_000);
    expect((await waiting).status).toBe(200);
    expect(await sbp.attempts.startAsking(attemptId, leaseUntil)).toBe(false);
  });

  test('after it has asked, no second code is made', async () => {
    await sbp.attempts.insert({ ...attempt, attemptId, createdAt, leaseUntil });
    await sbp.attempts.startAsking(attemptId, new Date('2026-01-15T14:00:00Z'));
    sbp.advance(61_000);
    expect((await postPayment(sbp, ORDER)).body['error']).toContain(
      'the answer of raiffeisen was lost',
    );
    expect(await sandboxQrs(sbp)).toEqual([]);
  });
});

test('a service without the bank’s credentials says so', async () => {
  const bare = await startTestSbp(database, { isBare: true, hasCallbacks: false });
  const { status, headers, body } = await postPayment(bare, ORDER);
  expect({ status, body }).toEqual({
    status: 503,
    body: { success: false, error: 'Payment creation failed: the provider is not configured' },
  });
  expect(headers.get('retry-after')).toBe('30');
  await bare.close();
});

test('no secret shows in an answer or a line of the log', async () => {
  const hasty = await hastyCopy();
  const answers: unknown[] = [];
  for (const kind of ['lose-answer', 'hang', 'http-500', 'http-429', 'error-200', 'not-json']) {
    await turn(sbp, { faults: [{ on: 'create', kind }] });
    answers.push((await postPayment(hasty, { amount: 1, orderId: kind })).body);
  }
  expect(JSON.stringify([answers, hasty.lines])).not.toContain(BANK_KEY);
  expect(hasty.lines).toHaveLength(6);
  await hasty.close();
});
