import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  createSbpDatabase,
  getStatus,
  giveBackByHand,
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
  [
    { ttlMinutes: 129_601, provider: 'raiffeisen' },
    'ttlMinutes must be from 1 to 129600 with raiffeisen',
  ],
  [{ ttlMinutes: 129_601, provider: 'tbank' }, 'ttlMinutes must be from 1 to 129600 with tbank'],
  [{ ttlMinutes: 129_601, provider: 'tochka' }, 'ttlMinutes must be from 1 to 129600 with tochka'],
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

test.each(['raiffeisen', 'tbank', 'tochka'])(
  'a code of %s lives a minute to 90 days',
  async (provider) => {
    for (const [ttlMinutes, end] of [
      [1, '2026-01-15T13:01:00'],
      [129_600, '2026-04-15T13:00:00'],
    ]) {
      const orderId = `${provider}-${ttlMinutes}`;
      const { body } = await postPayment(sbp, { amount: 100, orderId, provider, ttlMinutes });
      expect(body).toMatchObject({ success: true, expiresAt: end });
    }
  },
);

test('the configured life of a code is stretched to what its provider offers', async () => {
  const short = await startTestSbp(kept(database), { env: { SBP_TTL_MINUTES: '5' } });
  for (const [provider, end] of [
    ['raiffeisen', '2026-01-15T13:05:00'],
    ['yookassa', '2026-01-15T14:00:00'],
  ]) {
    const orderId = `stretched-${provider}`;
    const { body } = await postPayment(short, { amount: 100, orderId, provider });
    expect(body).toMatchObject({ success: true, expiresAt: end });
  }
  await short.close();
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
  await giveBackByHand(sbp, 'cabinet', 10_000n);
  await sbp.looker.lookAtDue();
  await untilStatus('cabinet', 'refunded');
  expect(sbp.events.at(-1)).toMatchObject({
    type: 'payment.refunded',
    data: { reference: 'cabinet', refunded: null, cumulative: { asset: 'RUB', amount: '100' } },
  });
});

test('of a part that somebody gave back there, T-Bank does not say how much: a person is told', async () => {
  const told = (): boolean =>
    [...sbp.incidents].some((kind) => kind.startsWith('sbp-refund-untold'));
  const bank = { ...sbp, double: 'tbank' };
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'part', provider: 'tbank' });
  await payAt(bank, String(body['qrcId']));
  await untilStatus('part', 'paid');
  await giveBackByHand(sbp, 'part', 3_000n);
  await waitFor(told);
  expect((await getStatus(sbp, 'part')).body['status']).toBe('paid');

  await giveBackByHand(sbp, 'part', 7_000n);
  await untilStatus('part', 'refunded');
  expect(told()).toBe(false);
  expect(sbp.events.at(-1)).toMatchObject({ data: { cumulative: { amount: '100' } } });
});

test('an order that is known is looked up before the range of whoever would make a new code', async () => {
  const small = { amount: '0.50', orderId: 'small' };
  const first = await postPayment(sbp, small);
  const narrow = { ...small, provider: 'tbank' };
  expect((await postPayment(sbp, narrow)).body).toEqual(first.body);
  expect((await postPayment(sbp, { ...narrow, amount: '0.51' })).body).toEqual({
    success: false,
    error: 'Order already exists',
  });
  const bare = await startTestSbp(kept(database), { isBare: true, hasCallbacks: false });
  const again = await postPayment(bare, small);
  expect({ status: again.status, qr: again.body['qr'] }).toEqual({
    status: 200,
    qr: first.body['qr'],
  });
  await bare.close();
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
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'declined' });
  await pay(sbp, body['qrcId'], { decline: true });
  await untilStatus('declined', 'failed');
  const legacy = await startTestSbp(kept(database), { env: { SBP_STATUS_STYLE: 'legacy' } });
  expect((await getStatus(legacy, 'two-hundred')).body['status']).toBe('pending');
  expect((await getStatus(legacy, 'credit')).body['status']).toBe('pending');
  expect((await getStatus(legacy, 'switched')).body['status']).toBe('completed');
  expect((await getStatus(legacy, 'declined')).body['status']).toBe('failed');
  expect((await getStatus(legacy, 'short')).body['status']).toBe('failed');
  expect((await getStatus(legacy, 'refunds')).body['status']).toBe('completed');
  expect((await getStatus(legacy, 'cabinet')).body['status']).toBe('failed');
  await legacy.close();
});

async function untilStatus(orderId: string, status: string): Promise<void> {
  const look = async () => (await getStatus(sbp, orderId)).body['status'] === status;
  await waitFor(look, { what: `${orderId} to be ${status}` });
}
