import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { RowDataPacket } from 'mysql2/promise';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { seedPurchase } from '../src/seed.ts';
import { DIALECTS } from './dialects.ts';
import { KEY, runAdmin, type RunningAdmin } from './running-admin.ts';

const found = DIALECTS.find(({ name }) => name === 'remnawave 2.8.1');
let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  if (found === undefined) throw new Error('no such dialect');
  database = await createTestDatabase(inject('mariadbRootUrl'));
  const places = { redisUrl: inject('redisUrl'), databaseUrl: database.url };
  admin = await runAdmin(places, { ADMIN_REFRESH_CRON: '* * * * * *' }, { panels: [found] });
  await seedPurchase(admin.pool, { id: '1', servers: [found.ref] });
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});

test('a reissue kills the old link in panel and cache, and keeps the new address with the new links', async () => {
  const state = async () => {
    const [rows] = await admin.pool.query<RowDataPacket[]>(
      'SELECT subscription_id, subscription_url FROM purchase_servers WHERE purchase_id = 1',
    );
    return rows[0];
  };
  await waitFor(async () => (await admin.links('1')).length === 1);
  const before = { links: await admin.links('1'), state: await state() };
  const reissue = (serverId: string) =>
    fetch(`${admin.url}/admin/reissue_configs/1`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ serverId }),
    });
  expect((await reissue('de1')).status).toBe(400);
  const answer = await waitFor(async () => {
    const response = await reissue(found?.ref.serverId ?? '');
    return response.status !== 409 && response;
  });
  expect(await answer.json()).toMatchObject({ result: 'reissued', links: 1 });

  const after = { links: await admin.links('1'), state: await state() };
  expect(after.links).not.toEqual(before.links);
  expect(after.state?.['subscription_url']).not.toBe(before.state?.['subscription_url']);
  expect(String(after.state?.['subscription_url'])).toContain(
    String(after.state?.['subscription_id']),
  );
  const old = String(before.state?.['subscription_id']);
  const dead = await fetch(`${admin.panelUrl}/${found?.ref.serverId}/api/sub/${old}/info`, {
    headers: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' },
  });
  expect(dead.status).toBe(404);
});

test('the clock starts a refresh of all once, however many copies run', async () => {
  await admin.startService();
  const jobs = async (): Promise<readonly RowDataPacket[]> => {
    const [rows] = await admin.pool.query<RowDataPacket[]>(
      `SELECT requested_by, started_at, UTC_TIMESTAMP(3) AS now FROM refresh_jobs ORDER BY started_at`,
    );
    return rows;
  };
  const before = (await jobs()).length;
  const seen = await waitFor(async () => {
    const rows = await jobs();
    return rows.length >= before + 3 && rows;
  });
  expect(new Set(seen.map((row) => row['requested_by']))).toEqual(new Set(['schedule']));
  const [first, last] = [seen[0]?.['started_at'] as Date, seen[0]?.['now'] as Date];
  const seconds = Math.floor((last.getTime() - first.getTime()) / 1_000);
  expect(seen.length).toBeLessThanOrEqual(seconds + 2);
});
