import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  createSbpDatabase,
  getStatus,
  kept,
  pay,
  payAt,
  post,
  postPayment,
  sandboxQrs,
  startTestSbp,
  turn,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

let database: SbpDatabase;
let sbp: RunningSbp;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database, { timeoutMs: 10_000 });
});
afterAll(async () => {
  await sbp.close();
  await database.drop();
});

test('two hundred requests for one order at once make one code', async () => {
  const wanted = { amount: 100, orderId: 'two-hundred' };
  const answers = await Promise.all(Array.from({ length: 200 }, () => postPayment(sbp, wanted)));
  expect(answers.filter(({ status }) => status !== 200).map(({ body }) => body)).toEqual([]);
  expect(new Set(answers.map(({ body }) => body['qrcId'])).size).toBe(1);
  expect(new Set(answers.map(({ body }) => body['payUrl'])).size).toBe(1);
  expect(await sandboxQrs(sbp)).toHaveLength(1);
});

test('forty refunds at once never give back more than was paid', async () => {
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'refunds' });
  await pay(sbp, body['qrcId']);
  await untilStatus('refunds', 'paid');
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      post(sbp, '/api/payment/refunds/refund', { refundId: `r${index % 20}`, amount: 30 }),
    ),
  );
  const given = new Set(
    answers.filter(({ status }) => status === 200).map((answer) => answer.body['refundId']),
  );
  expect(given.size).toBe(3);
  const qr = (await sandboxQrs(sbp)).find(({ qrId }) => qrId === body['qrcId']);
  expect(qr).toMatchObject({ refunds: [{ amount: '30' }, { amount: '30' }, { amount: '30' }] });
});

test('what a payment grants goes into the announcement of its order', async () => {
  const grant = { kind: 'subscription', user: '5123', plan: 'month', days: 30 };
  await postPayment(sbp, { amount: 100, orderId: 'grants', grant });
  const credit = { kind: 'credit', user: '5123', asset: 'NDN', amount: '1500.50' };
  await postPayment(sbp, { amount: 100, orderId: 'credit', grant: [credit] });
  const created = sbp.events.filter(({ type }) => type === 'order.created');
  expect(created.slice(-2).map(({ data }) => data)).toMatchObject([
    { orderId: 'grants', grants: [grant], user: '5123' },
    { orderId: 'credit', grants: [{ ...credit, amount: '1500.5' }], user: '5123' },
  ]);
});

test.each([
  [{ ttlMinutes: 0 }, 'ttlMinutes must be a whole number of minutes'],
  [{ ttlMinutes: 30, provider: 'yookassa' }, 'ttlMinutes must be from 60 to 60 with yookassa'],
  [{ amount: 9.99, provider: 'tbank' }, 'Amount must be from 10 to 1000000 with tbank'],
  [{ amount: 700000.01, provider: 'yookassa' }, 'Amount must be from 1 to 700000 with yookassa'],
  [{ provider: 'constructor' }, 'The provider is not configured'],
  [{ provider: '__proto__' }, 'provider must be the name of a provider'],
  [{ description: 'x'.repeat(141) }, 'description must be up to 140 printable characters'],
  [{ returnUrl: 'javascript:alert(1)' }, 'returnUrl must be a URL'],
  [
    { grant: { kind: 'credit', user: '1', asset: 'NDN', amount: '-1' } },
    'grant must be a credit {user, asset, amount} or a subscription {user, plan, days}',
  ],
])('%j is refused before anything is written', async (change, error) => {
  const answer = await postPayment(sbp, { amount: 100, orderId: 'refused', ...change });
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: 400,
    body: { success: false, error },
  });
  expect((await getStatus(sbp, 'refused')).status).toBe(404);
});

test('a code lives for as long as the shop said', async () => {
  await postPayment(sbp, { amount: 100, orderId: 'short', ttlMinutes: 5 });
  sbp.advance(5 * 60_000 + 1_000);
  await sbp.looker.lookAtDue();
  await untilStatus('short', 'expired');
});

test('money that somebody gave back in the provider’s cabinet is booked too', async () => {
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'cabinet', provider: 'tbank' });
  await payAt({ ...sbp, double: 'tbank' }, String(body['qrcId']));
  await untilStatus('cabinet', 'paid');
  await database.run("UPDATE sbp_orders SET next_look_at = created_at WHERE order_id = 'cabinet'");
  const order = await sbp.attempts.find('cabinet');
  const tbank = sbp.providers['tbank'];
  await tbank?.refund({
    refundKey: 'f'.repeat(32),
    attemptId: order?.attemptId ?? '',
    paymentId: order?.paymentId ?? '',
    operationId: null,
    kopecks: 10_000n,
    paidKopecks: 10_000n,
  });
  await sbp.looker.lookAtDue();
  await untilStatus('cabinet', 'refunded');
  expect(sbp.events.at(-1)).toMatchObject({
    type: 'payment.refunded',
    data: { reference: 'cabinet', refunded: null, cumulative: { asset: 'RUB', amount: '100' } },
  });
});

test('a provider that is no longer the default still hears of its codes', async () => {
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'switched' });
  const switched = await startTestSbp(kept(database), {
    sandboxUrl: sbp.sandboxUrl,
    hasCallbacks: false,
    env: { SBP_PROVIDER: 'tbank' },
  });
  await turn(sbp, { callbackUrl: `${switched.url}/webhook/sbp/raiffeisen` });
  await pay(sbp, body['qrcId']);
  await untilStatus('switched', 'paid');
  expect(switched.events.map(({ type }) => type)).toEqual(['payment.paid']);
  const next = await postPayment(switched, { amount: 100, orderId: 'switched-2' });
  expect(next.body['provider']).toBe('tbank');
  await turn(sbp, { callbackUrl: `${sbp.url}/webhook/sbp/raiffeisen` });
  await switched.close();
});

test('older shops hear their own three words', async () => {
  const legacy = await startTestSbp(kept(database), { env: { SBP_STATUS_STYLE: 'legacy' } });
  expect((await getStatus(legacy, 'two-hundred')).body['status']).toBe('pending');
  expect((await getStatus(legacy, 'credit')).body['status']).toBe('pending');
  expect((await getStatus(legacy, 'short')).body['status']).toBe('failed');
  expect((await getStatus(legacy, 'refunds')).body['status']).toBe('completed');
  expect((await getStatus(legacy, 'cabinet')).body['status']).toBe('failed');
  await legacy.close();
});

async function untilStatus(orderId: string, status: string): Promise<void> {
  const look = async () => (await getStatus(sbp, orderId)).body['status'] === status;
  await waitFor(look, { what: `${orderId} to be ${status}` });
}
