import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import type { CourierConfig } from '../src/config.ts';
import { startMailServer, startTestCourier, type MailServer } from './harness.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: Pool;
let mail: MailServer;

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  pool = openDatabase(database.url);
});
beforeEach(async () => {
  mail = await startMailServer();
  const payload = JSON.stringify({ subject: 'report of 2026-10-05', text: 'sbp  RUB  100\n' });
  const report = ['report.2026-10-05', 'mail', payload, new Date(), new Date()];
  await pool.query(
    'INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at) VALUES (?)',
    [report],
  );
});
afterEach(async () => {
  await mail.close();
  await pool.query('DELETE FROM outbox');
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const courierOf = (config: Partial<CourierConfig>) =>
  startTestCourier({
    DATABASE_URL: database.url,
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: createTestRedis('').prefix,
    ...config,
  });

async function row(): Promise<RowDataPacket> {
  const [[found]] = await pool.query<RowDataPacket[]>('SELECT * FROM outbox');
  return found as RowDataPacket;
}

test('a daily report is mailed once by two couriers, also when the mail server refuses it first', async () => {
  mail.refuse(1);
  const config = { SMTP_URL: mail.url, ALERT_EMAIL: 'operator@example.com' };
  const couriers = await Promise.all([courierOf(config), courierOf(config)]);
  await waitFor(async () => (await row())['done_at'] !== null, { what: 'the report to be mailed' });
  await Promise.all(couriers.map((courier) => courier.close()));
  expect(mail.received).toMatchObject([
    { subject: '[kopeck] report of 2026-10-05', text: expect.stringMatching(/^sbp  RUB  100\n/) },
  ]);
  expect(await row()).toMatchObject({ attempts: 1, last_error: 'EMESSAGE' });
});

test('without ALERT_EMAIL it is closed and never mailed', async () => {
  const courier = await courierOf({ SMTP_URL: mail.url });
  await waitFor(async () => (await row())['done_at'] !== null, { what: 'the report to be closed' });
  await courier.close();
  expect(await row()).toMatchObject({ last_error: 'not configured' });
  expect(mail.offered()).toBe(0);
});
