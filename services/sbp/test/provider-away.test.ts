import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createSbpDatabase,
  getStatus,
  postPayment,
  startTestSbp,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

const LINK = 'https://qr.nspk.ru/AD100004BAL7227F9BNP6KNE007J9B3K';
const AWAY = 'sbp-provider-away:yookassa';

let database: SbpDatabase;
let bank: Bank;
let sbp: RunningSbp;
beforeAll(async () => {
  database = await createSbpDatabase();
  bank = await openBank();
  const env = { YOOKASSA_URL: bank.url };
  sbp = await startTestSbp(database, { env, hasCallbacks: false, timeoutMs: 10_000 });
});
afterAll(async () => {
  await sbp.close();
  await bank.close();
  await database.drop();
});

test('a provider that failed five times is left alone, and nobody else; then it is asked again', async () => {
  for (let order = 1; order <= 5; order += 1) {
    expect(sbp.incidents.has(AWAY)).toBe(false);
    expect((await ask(order)).body['error']).toContain('the answer of yookassa was lost');
  }
  expect(bank.requests).toBe(5);
  expect(sbp.incidents.has(AWAY)).toBe(true);

  const refused = await ask(6);
  expect(refused.body).toEqual({
    success: false,
    error: 'Payment creation failed: yookassa did not answer lately, and is left alone',
  });
  // A code that was lost is not given up for a question that nobody was asked.
  expect((await ask(1)).body['error']).toContain('the answer of yookassa was lost');
  expect((await getStatus(sbp, 'order-1')).body['status']).toBe('pending');
  expect(bank.requests).toBe(5);
  const other = await postPayment(sbp, { amount: 100, orderId: 'other', provider: 'raiffeisen' });
  expect(other.status).toBe(200);
  expect([...sbp.incidents]).toEqual([AWAY]);

  sbp.advance(10_000);
  bank.isWell = true;
  expect((await ask(1)).body).toMatchObject({ success: true, qr: LINK });
  expect(bank.keys.at(-1)).toBe(bank.keys[0]);
  expect(sbp.incidents.has(AWAY)).toBe(false);
});

function ask(order: number): ReturnType<typeof postPayment> {
  return postPayment(sbp, { amount: 100, orderId: `order-${order}`, provider: 'yookassa' });
}

interface Bank {
  readonly url: string;
  requests: number;
  /** The idempotence key of each request. */
  readonly keys: unknown[];
  isWell: boolean;
  readonly close: () => Promise<void>;
}

/** Counts, and answers 500 until it is well. */
async function openBank(): Promise<Bank> {
  const server = createServer((request, response) => {
    opened.requests += 1;
    opened.keys.push(request.headers['idempotence-key']);
    const confirmation = { type: 'qr', confirmation_data: LINK };
    response.statusCode = opened.isWell ? 200 : 500;
    response.end(JSON.stringify({ id: 'payment-1', status: 'pending', confirmation }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const opened: Bank = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    keys: [],
    isWell: false,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return opened;
}
