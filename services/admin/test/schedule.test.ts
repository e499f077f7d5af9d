import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { uuidOf } from '../src/bulk/uuid.ts';
import { runAdmin, type RunningAdmin } from './running-admin.ts';

let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  const places = { redisUrl: inject('redisUrl'), databaseUrl: database.url };
  admin = await runAdmin(places, { ADMIN_REFRESH_CRON: '* * * * * *' });
  await admin.startService();
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});

test('the clock starts one refresh of all each time, however many copies run', async () => {
  const jobs = await waitFor(async () => {
    const [rows] = await admin.pool.query<RowDataPacket[]>(
      'SELECT id, requested_by, started_at FROM refresh_jobs ORDER BY started_at, id',
    );
    return rows.length >= 3 && rows;
  });
  expect(new Set(jobs.map((row) => row['requested_by']))).toEqual(new Set(['schedule']));
  // A bulk is called by its second, so that there cannot be two of one: each id is that of a second.
  const at = jobs.map((row) => Math.floor((row['started_at'] as Date).getTime() / 1_000));
  const seconds = Array.from({ length: 30 }, (_none, index) => Math.max(...at) - index);
  const known = seconds.map((second) => uuidOf(`repeat:refresh-all:${second}000`));
  for (const row of jobs) expect(known).toContain(row['id']);
});
