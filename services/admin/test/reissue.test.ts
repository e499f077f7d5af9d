import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { RowDataPacket } from 'mysql2/promise';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { seedPurchase } from '../src/seed.ts';
import { DIALECTS, type DialectCase } from './dialects.ts';
import { KEY, runAdmin, type RunningAdmin } from './running-admin.ts';

let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  const places = { redisUrl: inject('redisUrl'), databaseUrl: database.url };
  // Some of them are asked five times for one answer.
  const deadlines = { answerMs: 5_000, purchaseMs: 5_000 };
  admin = await runAdmin(places, {}, { panels: DIALECTS, deadlines });
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});

const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
let last = 0;

async function purchaseOn({ ref }: DialectCase): Promise<string> {
  const id = String((last += 1));
  await seedPurchase(admin.pool, { id, servers: [ref] });
  expect((await admin.refresh(id)).body).toMatchObject({ result: 'updated', version: 1 });
  return id;
}

async function kept(id: string) {
  const [rows] = await admin.pool.query<RowDataPacket[]>(
    `SELECT subscription_id, subscription_url, token, config_version
       FROM purchase_servers JOIN purchases ON purchases.id = purchase_id WHERE purchase_id = ?`,
    [id],
  );
  const [row = {}] = rows as Record<string, unknown>[];
  const page = await fetch(`${admin.url}/sub/${String(row['token'])}?format=plain`);
  return {
    links: await page.text(),
    address: row['subscription_url'] as string,
    version: row['config_version'],
  };
}

function reissue(id: string, body: object, key = KEY): Promise<Response> {
  return fetch(`${admin.url}/admin/reissue_configs/${id}`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
}

/** Where the double serves what the panel says is the address. */
function served({ server }: DialectCase, address: string): string {
  return server.kind === 'remnawave'
    ? `${admin.panelUrl}/${server.id}/api/sub/${address.split('/').at(-1)}/info`
    : address;
}

async function statusOf(url: string): Promise<number> {
  const proxied = { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' };
  return (await fetch(url, { headers: proxied })).status;
}

const REISSUING = DIALECTS.filter(({ server }) => server.kind !== 'hiddify');

describe.each(REISSUING)('a reissue on $name', (dialect) => {
  test('kills the old links in panel and cache, and keeps the new address with the new ones', async () => {
    const id = await purchaseOn(dialect);
    const before = await kept(id);
    expect(await statusOf(served(dialect, before.address))).toBe(200);

    const answer = await reissue(id, { serverId: dialect.server.id });
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 200,
      body: { result: 'reissued', links: 1, version: 2 },
    });
    const after = await kept(id);
    expect(after.version).toBe(2);
    expect(after.links).not.toBe(before.links);
    expect(after.address).not.toBe(before.address);
    expect([400, 404]).toContain(await statusOf(served(dialect, before.address)));
    expect(await statusOf(served(dialect, after.address))).toBe(200);

    expect((await admin.refresh(id)).body).toMatchObject({ result: 'unchanged', version: 2 });
    expect(await kept(id)).toEqual(after);
  });
});

describe('a reissue', () => {
  const [dialect] = REISSUING as [DialectCase];

  test('is refused where the panel cannot, and by everything that is wrong with it', async () => {
    const hiddify = DIALECTS.find(({ server }) => server.kind === 'hiddify') ?? dialect;
    const id = await purchaseOn(hiddify);
    const serverId = hiddify.server.id;
    const refusals = [
      [await reissue(id, { serverId }), 409, 'reissue_not_supported'],
      [await reissue(id, { serverId: 'de1' }), 400, 'malformed'],
      [await reissue(id, {}), 400, 'malformed'],
      [await reissue('0', { serverId }), 400, 'invalid_purchase_id'],
      [await reissue('999', { serverId }), 404, 'purchase_not_found'],
      [await reissue(id, { serverId }, 'wrong'), 401, 'unauthorized'],
    ] as const;
    for (const [response, status, error] of refusals)
      expect({ status: response.status, body: await response.json() }).toMatchObject({
        status,
        body: { error },
      });
  });

  test('that the panel does not answer keeps what there is', async () => {
    const id = await purchaseOn(dialect);
    const before = await kept(id);
    await admin.fault(dialect.server.id, 'reset');
    const answer = await reissue(id, { serverId: dialect.server.id });
    expect([answer.status, await answer.json()]).toEqual([502, { error: 'connection' }]);
    expect(await kept(id)).toEqual(before);
    await admin.fault(dialect.server.id, 'none');
    expect((await admin.refresh(id)).status).toBe(200);
  });

  test('is no part of a refresh, alone or of all', async () => {
    const id = await purchaseOn(dialect);
    const before = await kept(id);
    const writes = async (): Promise<number> =>
      (await admin.log()).filter(({ path }) => /update|revoke/.test(path)).length;
    const already = await writes();
    await admin.refresh(id);
    const started = await fetch(`${admin.url}/admin/update_configs`, { method: 'POST', headers });
    const { status } = (await started.json()) as { status: string };
    await waitFor(async () => {
      const response = await fetch(`${admin.url}${status}`, { headers });
      return ((await response.json()) as { state: string }).state === 'finished';
    });
    expect(await writes()).toBe(already);
    expect(await kept(id)).toEqual(before);
  });
});
