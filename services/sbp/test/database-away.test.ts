import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { migrate } from '@kopeck/runtime/migrate';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { createTestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  call,
  callbackStatuses,
  getStatus,
  kept,
  pay,
  post,
  postPayment,
  sandboxQrs,
  startTestSbp,
  turn,
  type RunningSbp,
} from './running-sbp.ts';

let dir: string;
let mariadb: PrivateMariadb;
let sbp: RunningSbp;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-sbp-'));
  mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
  const database = await createTestDatabase(mariadb.rootUrl);
  await migrate(database.url);
  sbp = await startTestSbp(kept(database));
});
afterAll(async () => {
  await sbp.close();
  await mariadb.stop();
  await rm(dir, { recursive: true, force: true });
});

const AWAY = { success: false, error: 'Service temporarily unavailable' };

test('while the database is stopped nothing is promised, and a callback comes again', async () => {
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'before' });
  await mariadb.stop();

  const refused = await postPayment(sbp, { amount: 100, orderId: 'meanwhile' });
  expect({ status: refused.status, body: refused.body }).toEqual({ status: 503, body: AWAY });
  expect(refused.headers.get('retry-after')).toBe('30');
  expect((await getStatus(sbp, 'before')).status).toBe(503);
  expect((await call(`${sbp.url}/api/health`)).status).toBe(200);
  expect(await sandboxQrs(sbp)).toHaveLength(1);

  await turn(sbp, { retryDelaysMs: Array.from({ length: 100 }, () => 100) });
  await pay(sbp, body['qrcId']);
  await waitFor(async () => (await callbackStatuses(sbp))[0]?.includes(503));

  await mariadb.restart();
  await waitFor(async () => (await getStatus(sbp, 'before')).body['status'] === 'paid');
  expect((await postPayment(sbp, { amount: 100, orderId: 'meanwhile' })).status).toBe(200);
});

test('a database that hangs is answered for, and used again when it goes on', async () => {
  const takeBack = () => post(sbp, '/api/payment/before/refund', { refundId: 'r', amount: 1 });
  await mariadb.pause();
  // The second would wait for ever if the connection of the first were used again.
  for (const orderId of ['hanging', 'hanging too']) {
    const answers = await Promise.all([postPayment(sbp, { amount: 100, orderId }), takeBack()]);
    const refused = { status: 503, body: AWAY };
    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual([refused, refused]);
  }

  mariadb.resume();
  expect((await postPayment(sbp, { amount: 100, orderId: 'hanging' })).status).toBe(200);
  expect((await takeBack()).status).toBe(200);
});

test('a database that hangs when a code has been made is waited out for a while, not for a minute', async () => {
  const provider = sbp.providers['raiffeisen'];
  if (provider === undefined) throw new Error('no provider');
  const { createQr } = provider;
  const createQrAndHang = async (...request: Parameters<typeof createQr>) => {
    const qr = await createQr(...request);
    await mariadb.pause();
    return qr;
  };
  vi.spyOn(provider, 'createQr').mockImplementationOnce(createQrAndHang);
  const wanted = { amount: 100, orderId: 'made and lost' };
  const made = (await sandboxQrs(sbp)).length + 1;

  const refused = await postPayment(sbp, wanted);
  mariadb.resume();
  expect({ status: refused.status, body: refused.body }).toEqual({ status: 503, body: AWAY });

  // The code may live: no second one is made, also not when the lease of this request is over; and it
  // is found where the database has gone on with what it was told when nobody waited any more.
  sbp.advance(61_000);
  expect([200, 500]).toContain((await postPayment(sbp, wanted)).status);
  expect(await sandboxQrs(sbp)).toHaveLength(made);
});
