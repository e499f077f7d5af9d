import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { startMailServer, startTestCourier } from './harness.ts';

const HEAD = `1234567:${'ab'.repeat(32)}`;
let database: Awaited<ReturnType<typeof createTestDatabase>>;

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
});
afterAll(() => database.drop());

test('every mail ends with the head of the books, and with the last one known when it cannot be read', async () => {
  const pool = openDatabase(database.url);
  const mail = await startMailServer();
  const courier = await startTestCourier({
    DATABASE_URL: database.url,
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: createTestRedis('').prefix,
    SMTP_URL: mail.url,
    ALERT_EMAIL: 'operator@example.com',
  });
  const alert = async (reason: string): Promise<void> => {
    const row = ['e', 'alert', JSON.stringify({ reason }), new Date(), new Date()];
    await pool.query(
      'INSERT INTO outbox (event_id, kind, payload, created_at, next_attempt_at) VALUES (?)',
      [row],
    );
  };
  try {
    const [seq, hash] = HEAD.split(':');
    await pool.query('TRUNCATE chain_head');
    await pool.query('INSERT INTO chain_head VALUES (1, ?, ?)', [seq, hash]);
    await alert('quarantined');
    await waitFor(() => mail.received.length === 1, { what: 'the first mail' });
    expect(mail.received[0]?.text).toContain(
      `\nHead of the books. Keep it; kopeck audit --head proves it:\n${HEAD}\n`,
    );

    await pool.query('RENAME TABLE chain_head TO away');
    await alert('conflict');
    await waitFor(() => mail.received.length === 2, { what: 'the second mail' });
    expect(mail.received[1]?.text).toMatch(
      new RegExp(`\nHead of the books, last read 2\\S+ \\S+ UTC\\..*\n${HEAD}\n`),
    );
  } finally {
    await courier.close();
    await Promise.all([mail.close(), pool.end()]);
  }
});
