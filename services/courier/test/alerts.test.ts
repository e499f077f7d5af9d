import type { Pool, RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { inTransaction, openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';
import type { TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import type { CourierConfig } from '../src/config.ts';
import { claimAlerts } from '../src/outbox.ts';
import type { Courier } from '../src/serve.ts';
import { startMailServer, startTestCourier } from './harness.ts';
import type { MailServer } from './harness.ts';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;

let database: TestDatabase;
let pool: Pool;
let mail: MailServer;
let clock: number;
let couriers: Courier[] = [];

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  pool = openDatabase(database.url);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(async () => {
  clock = NOON;
  mail = await startMailServer();
});

afterEach(async () => {
  await Promise.all(couriers.map((courier) => courier.close()));
  couriers = [];
  await mail.close();
  await pool.query('DELETE FROM outbox');
});

async function courierOf(config: Partial<CourierConfig> = {}): Promise<Courier> {
  const courier = await startTestCourier(
    {
      DATABASE_URL: database.url,
      REDIS_URL: inject('redisUrl'),
      REDIS_PREFIX: createTestRedis('').prefix,
      SMTP_URL: mail.url,
      ALERT_EMAIL: 'operator@example.com',
      ...config,
    },
    () => new Date(clock),
  );
  couriers.push(courier);
  return courier;
}

async function alert(reason: string, eventIds: readonly string[]): Promise<void> {
  const at = new Date(clock);
  const payload = JSON.stringify({ reason, source: 'cryptobot' });
  await pool.query(
    'INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at) VALUES ?',
    [eventIds.map((id) => [id, 'alert', payload, at, at])],
  );
}

async function rows(): Promise<readonly RowDataPacket[]> {
  const [found] = await pool.query<RowDataPacket[]>('SELECT * FROM outbox ORDER BY id');
  return found;
}

/** Until the digest, and not merely claimed. */
async function arePutOff(count: number): Promise<boolean> {
  const waiting = (await rows()).filter((row) => row['done_at'] === null);
  const digestAt = new Date(NOON + 15 * MINUTE);
  const putOff = waiting.filter((row) => Number(row['next_attempt_at']) === Number(digestAt));
  return waiting.length === count && putOff.length === count;
}

const isAllDone = async (): Promise<boolean> =>
  (await rows()).every((row) => row['done_at'] !== null);
const ids = (count: number, of = 'event'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `cryptobot.quarantined.${of}-${index}`);

test('mails the first alert at once, and what follows as one digest', async () => {
  await courierOf();
  await alert('quarantined', ['cryptobot.quarantined.first']);
  await waitFor(() => mail.received.length === 1, { what: 'the first mail' });
  await waitFor(isAllDone);

  await alert('quarantined', ids(700));
  await waitFor(() => arePutOff(700), { what: 'the flood to be put off' });
  expect(mail.received).toHaveLength(1);

  clock += 15 * MINUTE;
  await waitFor(isAllDone, { what: 'the digest' });
  expect(mail.received.map(({ subject }) => subject)).toEqual([
    '[kopeck] 1 event quarantined (authentic, but senseless)',
    '[kopeck] 700 events quarantined (authentic, but senseless)',
  ]);
  expect(mail.received[0]?.text).toContain('\n  cryptobot.quarantined.first\n');
  expect(mail.received[1]?.text).toContain('and 650 more');
});

test('a reason that is quiet does not hold back another one', async () => {
  await courierOf();
  await alert('quarantined', ['cryptobot.quarantined.a']);
  await waitFor(() => mail.received.length === 1);
  await alert('conflict', ['sbp.payment.paid.b']);
  await waitFor(() => mail.received.length === 2);
  expect(mail.received[1]?.subject).toContain('came again with other content');
});

test('stays quiet for the digest time after a restart of its own', async () => {
  const { prefix } = createTestRedis('');
  const first = await courierOf({ REDIS_PREFIX: prefix });
  await alert('conflict', ['sbp.payment.paid.a']);
  await waitFor(() => mail.received.length === 1);
  await waitFor(isAllDone);
  await first.close();

  await alert('conflict', ['sbp.payment.paid.b']);
  await courierOf({ REDIS_PREFIX: prefix });
  await waitFor(() => arePutOff(1));
  expect(mail.received).toHaveLength(1);
});

test('a mail that is refused is tried until it is taken', async () => {
  mail.refuse(6);
  await courierOf();
  await alert('conflict', ['sbp.payment.paid.a']);
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    await waitFor(async () => (await rows())[0]?.['attempts'] === attempt, {
      what: `attempt ${attempt} to be written down`,
    });
    clock += 60 * MINUTE;
  }
  await waitFor(isAllDone);

  const [row] = await rows();
  expect(row).toMatchObject({ attempts: 6, last_error: 'EMESSAGE' });
  expect(mail.offered()).toBe(7);
  expect(mail.received).toHaveLength(1);
});

test('a mail that was taken does not go again when the one after it, about the silence, is refused', async () => {
  mail.refuse(1, 'MUTED');
  await courierOf({ ALERTS_PER_HOUR: 1 });
  await alert('conflict', ['sbp.payment.paid.a']);
  await waitFor(() => mail.offered() === 2);
  await waitFor(isAllDone);

  clock += 60 * MINUTE;
  await alert('quarantined', ['cryptobot.quarantined.b']);
  await waitFor(() => mail.received.length === 3);
  expect(mail.received.map(({ subject }) => subject)).toEqual([
    expect.stringContaining('came again with other content'),
    expect.stringContaining('quarantined'),
    expect.stringContaining('MUTED'),
  ]);
});

test('waits longer after each failure', async () => {
  mail.refuse(1);
  await courierOf({ COURIER_RETRY_MS: 20_000 });
  await alert('conflict', ['sbp.payment.paid.a']);
  await waitFor(async () => (await rows()).some((row) => row['attempts'] === 1));
  const [row] = await rows();
  expect(row?.['next_attempt_at']).toEqual(new Date(clock + 20_000));

  clock += 20_000;
  await waitFor(() => mail.received.length === 1);
});

test('a claimed alert is not claimed again until the lease is over', async () => {
  await alert('conflict', ids(3));
  expect(await claimAlerts(pool, new Date(clock))).toHaveLength(3);
  expect(await claimAlerts(pool, new Date(clock))).toHaveLength(0);
  clock += 10 * MINUTE;
  expect(await claimAlerts(pool, new Date(clock))).toHaveLength(3);
});

test('does not wait for alerts that another copy is just claiming', async () => {
  await alert('conflict', ids(3));
  await inTransaction(pool, async (other) => {
    await other.query('SELECT id FROM outbox WHERE event_id = ? FOR UPDATE', [ids(1)[0]]);
    const mine = await claimAlerts(pool, new Date(clock));
    expect(mine.map(({ eventId }) => eventId)).toEqual(ids(3).slice(1));
  });
});

test('leaves other kinds of the outbox alone', async () => {
  await courierOf();
  const at = new Date(clock);
  await pool.query(
    'INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at) VALUES ?',
    [[['e', 'other', '{}', at, at]]],
  );
  await alert('conflict', ['sbp.payment.paid.a']);
  await waitFor(() => mail.received.length === 1);
  await waitFor(async () => (await rows()).some((row) => row['done_at'] !== null));
  const [other] = await rows();
  expect(other).toMatchObject({ kind: 'other', done_at: null, next_attempt_at: at });
});

test('runs without a mail server, says so, and keeps the alerts for later', async () => {
  const mute = await courierOf({ SMTP_URL: undefined, ALERT_EMAIL: undefined } as object);
  await alert('conflict', ['sbp.payment.paid.a']);
  const ready = await fetch(`${mute.metricsUrl}/ready`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({
    warnings: [
      'SMTP_URL or ALERT_EMAIL is not set: no alert is mailed',
      expect.stringContaining('FULFILMENT_URL'),
      expect.stringContaining('TELEGRAM_BOT_TOKEN'),
    ],
  });
  expect((await fetch(`${mute.url}/health`)).status).toBe(200);
  await mute.close();
  expect(await rows()).toMatchObject([{ done_at: null, attempts: 0 }]);

  await courierOf();
  await waitFor(() => mail.received.length === 1);
});
