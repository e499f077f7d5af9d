import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  call,
  callbackStatuses,
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
  type SbpDatabase,
} from './running-sbp.ts';

let database: SbpDatabase;
let sbp: RunningSbp;
let url: string;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database);
  url = `${sbp.url}/webhook/sbp/raiffeisen`;
});
afterAll(async () => {
  await sbp.close();
  await database.drop();
});

const JSON_TYPE = { 'Content-Type': 'application/json' };
const SIGNATURE = { 'X-Api-Signature-SHA256': 'ab'.repeat(32) };

test.each([
  ['unsigned', { headers: JSON_TYPE }, 401, { error: 'forged' }],
  ['falsely signed', { headers: { ...JSON_TYPE, ...SIGNATURE } }, 401, { error: 'forged' }],
  [
    'no JSON',
    { headers: { ...JSON_TYPE, ...SIGNATURE }, body: '{"a":' },
    400,
    { error: 'malformed' },
  ],
  [
    'no object',
    { headers: { ...JSON_TYPE, ...SIGNATURE }, body: '[]' },
    400,
    { error: 'malformed' },
  ],
  [
    'of another type',
    { headers: { 'Content-Type': 'text/plain' } },
    415,
    { error: 'unsupported_media_type' },
  ],
  [
    'too large',
    { headers: JSON_TYPE, body: `"${'x'.repeat(70_000)}"` },
    413,
    { error: 'too_large' },
  ],
  ['no POST', { method: 'PUT', headers: JSON_TYPE }, 405, { error: 'method_not_allowed' }],
])('a callback that is %s is refused', async (_what, init, status, body) => {
  const answer = await call(url, { method: 'POST', body: '{}', ...init });
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body });
});

test('a callback of an unknown provider has no path', async () => {
  const init = { method: 'POST', headers: JSON_TYPE, body: '{}' };
  expect((await call(`${sbp.url}/webhook/sbp/bank`, init)).status).toBe(404);
  expect((await call(`${sbp.url}/webhook/sbp/constructor`, init)).status).toBe(404);
});

describe('a callback', () => {
  test('for a payment of nobody’s is acknowledged and leaves nothing', async () => {
    const qrId = await order('unknown');
    const before = sbp.events.length;
    expect(await notify(sbp, qrId, { order: 'somebody-else' })).toBe(200);
    expect(sbp.events).toHaveLength(before);
    expect(sbp.lines.some((line) => line.includes('callback ignored'))).toBe(true);
  });

  test('that lies is a reason to look, and nothing more', async () => {
    const qrId = await order('lied-about');
    expect(await notify(sbp, qrId, { paymentStatus: 'SUCCESS', amount: '1000000' })).toBe(200);
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'lied-about')).body['status']).toBe('pending');
    expect(sbp.events.filter(({ type }) => type === 'payment.paid')).toEqual([]);
  });

  test('that is falsely signed is repeated in vain, and the payment found by looking', async () => {
    await turn(sbp, { signature: 'wrong', retryDelaysMs: [1] });
    const qrId = await order('forged');
    await pay(sbp, qrId);
    await waitFor(async () => (await callbackStatuses(sbp)).at(-1)?.length === 2);
    expect((await callbackStatuses(sbp)).at(-1)).toEqual([401, 401]);
    expect((await getStatus(sbp, 'forged')).body['status']).toBe('pending');

    await turn(sbp, { signature: 'good', retryDelaysMs: [] });
    sbp.advance(5_000);
    await sbp.looker.lookAtDue();
    expect((await getStatus(sbp, 'forged')).body['status']).toBe('paid');
  });

  test.each([
    ['193.28.44.23', 0],
    ['203.0.113.9', 1],
    ['not an address', 1],
  ])('from %s is heard, and counted only where the bank does not list it', async (from, more) => {
    const before = await strangers();
    const init = { method: 'POST', headers: { ...JSON_TYPE, 'X-Forwarded-For': from }, body: '{}' };
    expect((await call(url, init)).status).toBe(401);
    expect(await strangers()).toBe(before + more);
  });

  test('from a provider that lists no addresses is never counted', async () => {
    const init = { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'a.b.c' };
    await call(`${sbp.url}/webhook/sbp/tochka`, init);
    expect(await sbp.metrics()).not.toMatch(/kopeck_sbp_foreign_callbacks_total\{.*"tochka"/);
  });

  test('to a service without the bank’s key is answered 503', async () => {
    const bare = await startTestSbp(kept(database), { isBare: true });
    const init = { method: 'POST', headers: { ...JSON_TYPE, ...SIGNATURE }, body: '{}' };
    const answer = await call(`${bare.url}/webhook/sbp/raiffeisen`, init);
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 503,
      body: { error: 'unconfigured' },
    });
    await bare.close();
  });
});

async function strangers(): Promise<number> {
  const [, count = '0'] =
    /kopeck_sbp_foreign_callbacks_total\{[^}]*provider="raiffeisen"[^}]*\} (\d+)/.exec(
      await sbp.metrics(),
    ) ?? [];
  return Number(count);
}

async function order(orderId: string): Promise<string> {
  const { body } = await postPayment(sbp, { amount: 100, orderId });
  const qrs = await sandboxQrs(sbp);
  return qrs.find(({ qrId }) => qrId === body['qrcId'])?.qrId ?? '';
}
