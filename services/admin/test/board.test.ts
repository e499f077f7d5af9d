import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { KEY, OLD_KEY, runAdmin, type RunningAdmin } from './running-admin.ts';

let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  admin = await runAdmin({ redisUrl: inject('redisUrl'), databaseUrl: database.url });
  await admin.publish({ id: 'admin.config.refreshed.x', data: { links: ['a-payload'] } });
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});

const basic = (key: string) => ({
  authorization: `Basic ${Buffer.from(`operator:${key}`).toString('base64')}`,
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${admin.url}/admin/queues${path}`, { headers: basic(KEY), ...init });

test('the queues are shown to either key as a Basic password, and to nobody else', async () => {
  const { status, headers } = await ask('/');
  expect([status, headers.get('cross-origin-opener-policy')]).toEqual([200, 'same-origin']);
  expect((await ask('/', { headers: basic(OLD_KEY) })).status).toBe(200);
  for (const wrong of [{}, basic(`${KEY}x`), basic(''), { authorization: `Bearer ${KEY}` }]) {
    const answer = await ask('/', { headers: wrong });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Basic');
  }
  // Basic opens the board alone.
  const bulk = `${admin.url}/admin/update_configs`;
  expect((await fetch(bulk, { method: 'POST', headers: basic(KEY) })).status).toBe(401);
});

test('a job is listed with its id, and its payload is masked', async () => {
  const answer = await ask('/api/queues?activeQueue=events-admin&status=waiting');
  const text = await answer.text();
  expect(text).toContain('admin.config.refreshed.x');
  expect(text).toContain('***');
  expect(text).not.toContain('a-payload');
});

test('nothing can be changed, and a page of somebody else cannot even ask', async () => {
  const path = '/api/queues/events-admin/pause';
  const change = { method: 'PUT', headers: basic(KEY) };
  expect((await ask(path, change)).status).toBe(405);
  const foreign = { ...basic(KEY), 'sec-fetch-site': 'cross-site' };
  expect((await ask(path, { ...change, headers: foreign })).status).toBe(403);
});

test('where the operator wants it so, a queue is paused and goes on, still not for a foreign page', async () => {
  const place = { redisUrl: inject('redisUrl'), databaseUrl: database.url };
  const writable = await runAdmin(place, { QUEUES_WRITABLE: 'true' });
  const change = async (path: string, more: Record<string, string> = {}): Promise<number> => {
    const init = { method: 'PUT', headers: { ...basic(KEY), ...more } };
    return (await fetch(`${writable.url}/admin/queues/api/queues/events-admin/${path}`, init))
      .status;
  };
  try {
    expect(await change('pause', { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await change('pause')).toBe(200);
    expect(await change('resume')).toBe(200);
  } finally {
    await writable.close();
  }
});
