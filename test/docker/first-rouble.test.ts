import { expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  cryptobot,
  epn,
  fixture,
  ledger,
  orderSbp,
  payQr,
  refreshConfigs,
  stars,
  statusSbp,
  telegram,
  type Answer,
} from '../rig/partners.ts';
import { NETWORK_TOKEN } from './settings.ts';
import { compose, rigOf, stackUnderTest } from './stack.ts';

const stack = stackUnderTest();
const rig = await rigOf(stack);

test('a code is ordered, shown, paid and booked, all through the published port', async () => {
  const order = await orderSbp(rig, 'order-id-hash', '100');
  expect(order).toMatchObject({ status: 200, body: { success: true, orderId: 'order-id-hash' } });
  expect(await statusSbp(rig, 'order-id-hash')).toMatchObject({ body: { status: 'pending' } });
  expect((await orderSbp(rig, 'order-id-hash', '101')).status).toBe(409);

  await payQr(rig, String(order.body['qrcId']), 100);
  await waitFor(async () => (await statusSbp(rig, 'order-id-hash')).body['status'] === 'paid', {
    timeoutMs: 30_000,
    what: 'the order to be paid',
  });
  const sales = (): Promise<Answer> => ledger(rig, '/api/ledger/balances/provider:sbp:raiffeisen');
  await waitFor(async () => JSON.stringify((await sales()).body).includes('"RUB"'), {
    timeoutMs: 30_000,
    what: 'the payment to be booked',
  });
});

test('stars are credited to the user', async () => {
  await booked(await stars(rig, 'docker-charge-1', '5123456789'));
  await booked(await telegram(rig, fixture('tg-successful-payment.json')));
  const { body } = await ledger(rig, '/api/ledger/balances/user:5123456789');
  expect(body).toMatchObject({ account: 'user:5123456789' });
});

test('a payment in CryptoBot is booked, and one that nobody has signed is refused', async () => {
  const body =
    '{"update_type":"invoice_paid","payload":{"invoice_id":12345,"status":"paid","paid_at":"2023-12-01T10:00:00Z"}}';
  expect((await cryptobot(rig, body, 'nobody')).status).toBe(401);
  await booked(await cryptobot(rig, body));
  await booked(await cryptobot(rig, fixture('cb-invoice-paid-crypto.json')));
});

test("EPN's action is booked when it waits, when it is completed and when it is rejected", async () => {
  const fields = { click_id: '123', order_number: 'ORDER-001', uniq_id: 'EPN-12345' };
  for (const order_status of ['waiting', 'completed', 'rejected']) {
    const money = { revenue: '1500', commission_fee: '100' };
    await booked(await epn(rig, { ...fields, ...money, order_status }));
  }
});

test('a network that only a mapping file of the operator knows is booked', async () => {
  const query = 'subid=u-7&order_id=A-1&admitad_id=1&payment_status=approved&payment_sum=10';
  const url = `${stack.url}/webhook/admitad/${NETWORK_TOKEN}?${query}&currency=USD`;
  const response = await fetch(url);
  const body = (await response.json()) as Answer['body'];
  await booked({ status: response.status, retryAfter: null, body });
});

test('configs are read anew from the panel', async () => {
  const answer = await refreshConfigs(rig, '1');
  expect(answer).toMatchObject({ status: 200 });
});

test('the suite says that it is healthy, as operators and shops ask it', async () => {
  const { status, body } = await ask('/health');
  expect({ status, body }).toMatchObject({ status: 200, body: { status: 'healthy' } });
  expect((await ask('/api/health')).body).toMatchObject({ success: true, status: 'healthy' });
});

test('docker compose logs has one line of JSON for each event, and none of them a secret', async () => {
  const { body } = await epn(rig, {
    click_id: 'logged',
    order_number: 'ORDER-LOGGED',
    uniq_id: 'EPN-LOGGED',
    order_status: 'waiting',
    commission_fee: '1',
  });
  const id = String(body['id']);
  const lines = (await logsOf('epn')).split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records.filter(({ event }) => event === id)).toHaveLength(1);

  const all = await logsOf();
  const secrets = Object.entries(stack.values).filter(([key]) =>
    /PASSWORD|TOKEN|SECRET|_KEY/.test(key),
  );
  expect(secrets.filter(([, value]) => all.includes(value)).map(([key]) => key)).toEqual([]);
});

/** Accepted, and soon after in the ledger. */
async function booked({ status, body }: Answer): Promise<void> {
  expect(status).toBe(200);
  const path = `/api/ledger/events/${String(body['id'])}`;
  await waitFor(async () => (await ledger(rig, path)).status === 200, {
    timeoutMs: 30_000,
    what: `${path} to be booked`,
  });
}

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${stack.url}${path}`);
  return { status: response.status, body: await response.json() };
}

/** Some versions of Compose clear the line before they write it. */
async function logsOf(...services: readonly string[]): Promise<string> {
  const text = await compose(stack, 'logs', '--no-color', '--no-log-prefix', ...services);
  return text.replaceAll('\u001B[2K', '');
}
