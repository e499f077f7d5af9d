import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { parseCsvImport } from '../src/purchases-api/schema.ts';
import { seal, unseal } from '../src/servers/seal.ts';
import { KEY, PANEL_TOKEN, runAdmin, type RunningAdmin } from './running-admin.ts';

const SEAL_KEY = 'encryption-key-0123456789abcdefghijklm';
let database: TestDatabase;
let admin: RunningAdmin;
let keys: readonly string[] = [KEY];
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  const places = { redisUrl: inject('redisUrl'), databaseUrl: database.url };
  admin = await runAdmin(places, { ADMIN_ENCRYPTION_KEY: SEAL_KEY }, { apiKeys: () => keys });
});
beforeEach(() => admin.fault('de1', 'none'));
afterAll(async () => {
  await admin.close();
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(method: string, path: string, body?: object | string): Promise<Answer> {
  const type = typeof body === 'string' ? 'text/csv' : 'application/json';
  const init =
    body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': type };
  const response = await fetch(`${admin.url}${path}`, { method, headers, ...init });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as never,
  };
}

const LINKS = ['vless://a@de1.vpn-fixture.test:443#one', 'trojan://b@de1.vpn-fixture.test:444#two'];

describe('purchases over the API', () => {
  test('are made, shown, changed and listed', async () => {
    const servers = [{ serverId: 'de1', externalId: 'buyer/1', subscriptionId: 'sub1' }];
    const made = await call('POST', '/admin/purchases', { user: '42', servers });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ user: '42', isActive: true, servers, version: 0 });
    expect(made.body['subscription']).toMatch(/^\/sub\/[A-Za-z0-9_-]{22}$/);
    const path = `/admin/purchases/${String(made.body['id'])}`;
    const moved = [{ serverId: 'nl2', externalId: 'buyer/1' }];
    const changed = await call('PATCH', path, { servers: moved, isActive: false });
    expect(changed.body).toMatchObject({ user: '42', isActive: false, servers: moved });
    expect((await call('GET', path)).body).toEqual(changed.body);
    expect((await call('GET', '/admin/purchases')).body['purchases']).toContainEqual(changed.body);
  });

  test('are refused with the place of the mistake', async () => {
    expect(await call('POST', '/admin/purchases', { servers: [{ serverId: 'X' }] })).toMatchObject({
      status: 400,
      body: { error: 'malformed', field: 'servers.0.serverId' },
    });
    await call('POST', '/admin/purchases', { id: '500' });
    expect((await call('POST', '/admin/purchases', { id: '500' })).status).toBe(409);
    expect((await call('PATCH', '/admin/purchases/501', { user: 'x' })).status).toBe(404);
    expect((await call('GET', '/admin/purchases/x')).status).toBe(400);
    expect((await fetch(`${admin.url}/admin/purchases`)).status).toBe(401);
  });

  test('come from CSV and JSON, all or none, and once however often', async () => {
    const csv =
      '\uFEFFid;user;server_id;external_id;is_active\r\n600;"a ""b""";de1;u600;1\r\n600;;nl2;u600;\r\n601;;de1;u601;0\r\n';
    const imported = await call('POST', '/admin/purchases/import', csv);
    expect(imported).toMatchObject({ status: 200, body: { created: 2, existing: 0 } });
    const again = await call('POST', '/admin/purchases/import', csv);
    expect(again.body).toEqual({ created: 0, existing: 2 });
    const first = await call('GET', '/admin/purchases/600');
    expect(first.body).toMatchObject({
      user: 'a "b"',
      servers: [{ serverId: 'de1' }, { serverId: 'nl2' }],
    });
    expect((await call('GET', '/admin/purchases/601')).body).toMatchObject({ isActive: false });

    const listed = [
      { id: '610', user: '42', servers: [{ serverId: 'de1', externalId: 'u610' }] },
      { id: '611', isActive: false, expiresAt: '2100-01-01T00:00:00.000Z', servers: [] },
    ];
    const json = await call('POST', '/admin/purchases/import', listed);
    expect(json).toMatchObject({ status: 200, body: { created: 2, existing: 0 } });
    for (const wanted of listed)
      expect((await call('GET', `/admin/purchases/${wanted.id}`)).body).toMatchObject(wanted);
    const repeated = await call('POST', '/admin/purchases/import', listed);
    expect(repeated.body).toEqual({ created: 0, existing: 2 });

    const list = [{ id: '602', servers: [] }, { id: 'x' }];
    const refused = await call('POST', '/admin/purchases/import', list);
    expect(refused).toMatchObject({
      status: 400,
      body: { error: 'rows_malformed', rows: [{ row: 2, field: 'id' }] },
    });
    expect((await call('GET', '/admin/purchases/602')).status).toBe(404);
    expect(parseCsvImport(Buffer.from('id,name\n1,2\n'))).toBeNull();
  });
});

describe('servers over the API', () => {
  test('are added with their credentials sealed, and used at once', async () => {
    const origin = new URL(admin.panelUrl).origin;
    const server = { id: 'new-1', kind: 'sandbox', url: `${origin}/panel`, token: PANEL_TOKEN };
    expect(await call('POST', '/admin/servers', server)).toMatchObject({
      status: 201,
      body: { id: 'new-1', source: 'database' },
    });
    expect((await call('POST', '/admin/servers', server)).status).toBe(200);
    expect((await call('POST', '/admin/servers', { ...server, id: 'de1' })).status).toBe(409);
    expect((await call('POST', '/admin/servers', { ...server, url: 'file:///etc' })).status).toBe(
      400,
    );
    const listed = JSON.stringify((await call('GET', '/admin/servers')).body);
    expect(listed).toContain('"new-1"');
    expect(listed).not.toContain(PANEL_TOKEN);
    const [rows] = await admin.pool.query('SELECT sealed FROM panel_servers');
    const sealed = (rows as { sealed: Buffer }[])[0]?.sealed ?? Buffer.alloc(0);
    expect(sealed.includes(PANEL_TOKEN)).toBe(false);

    await call('POST', '/admin/purchases', {
      id: '700',
      servers: [{ serverId: 'new-1', externalId: 'n' }],
    });
    await admin.subscribe({ server: 'new-1', externalId: 'n', links: LINKS });
    expect((await admin.refresh('700')).body).toMatchObject({ result: 'updated', links: 2 });
    await admin.stopService();
    await admin.startService();
    const known = async () => JSON.stringify((await call('GET', '/admin/servers')).body);
    await waitFor(async () => (await known()).includes('new-1'));
    expect((await admin.refresh('700')).body).toMatchObject({ result: 'unchanged' });
  });

  test('are sealed for their own name and by a key that may be rotated', () => {
    const sealed = seal('secret', 'de1', [SEAL_KEY]);
    expect(unseal(sealed, 'de1', ['another', SEAL_KEY])).toBe('secret');
    expect(unseal(sealed, 'nl2', [SEAL_KEY])).toBeNull();
    expect(unseal(sealed, 'de1', ['another'])).toBeNull();
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    expect(unseal(sealed, 'de1', [SEAL_KEY])).toBeNull();
  });
});

describe('the key that credentials of servers are encrypted with', () => {
  const server = (id: string): object => ({
    id,
    kind: 'sandbox',
    url: admin.panelUrl,
    token: PANEL_TOKEN,
  });
  const next = 'next-encryption-key-0123456789abcdefgh';
  const places = () => ({ redisUrl: inject('redisUrl'), databaseUrl: database.url });
  const idsIn = async (other: RunningAdmin): Promise<string> => {
    const headers = { authorization: `Bearer ${KEY}` };
    return JSON.stringify(await (await fetch(`${other.url}/admin/servers`, { headers })).json());
  };

  test('is missing: no server is taken, and the key is named', async () => {
    const other = await runAdmin(places());
    const response = await fetch(`${other.url}/admin/servers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(server('new-2')),
    });
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 503,
      body: { error: 'not_configured', key: 'ADMIN_ENCRYPTION_KEY' },
    });
    expect(other.lines.join('\n')).toContain('set ADMIN_ENCRYPTION_KEY');
    await other.close();
  });

  test('is rotated: with both keys all is read and encrypted anew, and the old one can go', async () => {
    expect((await call('POST', '/admin/servers', server('new-3'))).status).toBe(201);
    const both = await runAdmin(places(), { ADMIN_ENCRYPTION_KEY: `${next},${SEAL_KEY}` });
    await waitFor(async () => (await idsIn(both)).includes('new-3'));
    await both.close();
    const alone = await runAdmin(places(), { ADMIN_ENCRYPTION_KEY: next });
    await waitFor(async () => (await idsIn(alone)).includes('new-3'));
    expect(alone.lines.join('\n')).not.toContain('cannot be read with this key');
    await alone.close();

    const wrong = await runAdmin(places(), { ADMIN_ENCRYPTION_KEY: `${SEAL_KEY}-another` });
    await waitFor(() => wrong.lines.join('\n').includes('cannot be read with this key'));
    expect(await idsIn(wrong)).not.toContain('new-3');
    await wrong.close();
    await admin.pool.query('DELETE FROM panel_servers');
  });
});

describe('a server that was added', () => {
  const probe = (id: string) => call('POST', `/admin/servers/${id}/probe`);

  test('is probed: its version, or what is wrong with it', async () => {
    expect(await probe('de1')).toMatchObject({
      status: 200,
      body: { ok: true, version: 'sandbox', latencyMs: expect.any(Number) as number },
    });
    expect(await probe('locked')).toMatchObject({ status: 502, body: { error: 'auth' } });
    expect(await probe('gone')).toMatchObject({ status: 502, body: { error: 'connection' } });
    expect(await probe('untrusted')).toMatchObject({
      status: 502,
      body: { error: 'tls_untrusted' },
    });
    expect((await probe('nowhere')).status).toBe(404);
    const { servers } = (await call('GET', '/admin/servers')).body as { servers: object[] };
    expect(servers).toContainEqual({
      id: 'de1',
      kind: 'sandbox',
      source: 'configuration',
      capabilities: { bulkFetch: false, revoke: 'none', stableLinks: true },
    });
  });
});

describe('a subscription address', () => {
  async function subscription(id: string): Promise<string> {
    await call('POST', '/admin/purchases', {
      id,
      servers: [{ serverId: 'de1', externalId: `s${id}` }],
    });
    await admin.subscribe({ server: 'de1', externalId: `s${id}`, links: LINKS });
    expect((await admin.refresh(id)).status).toBe(200);
    const { body } = await call('GET', `/admin/purchases/${id}`);
    return `${admin.url}${String(body['subscription'])}`;
  }

  test('serves what is kept, with what clients ask for, while the panel hangs', async () => {
    const url = await subscription('800');
    const before = (await admin.asked()).length;
    await admin.fault('de1', 'hang');
    const response = await fetch(url);
    expect(Buffer.from(await response.text(), 'base64').toString()).toBe(`${LINKS.join('\n')}\n`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(response.headers.get('profile-update-interval')).toBe('12');
    expect(response.headers.get('subscription-userinfo')).toMatch(
      /^upload=0; download=\d+; total=\d+; expire=\d+$/,
    );
    const etag = response.headers.get('etag') ?? '';
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect(await (await fetch(`${url}?format=plain`)).text()).toBe(`${LINKS.join('\n')}\n`);
    expect((await admin.asked()).length).toBe(before);
    await admin.fault('de1', 'none');
  });

  test('looks unknown when the purchase is not active, and is in no line of the log', async () => {
    const url = await subscription('801');
    await call('PATCH', '/admin/purchases/801', { isActive: false });
    const gone = await fetch(url);
    const unknown = await fetch(`${admin.url}/sub/AAAAAAAAAAAAAAAAAAAAAA`);
    expect([gone.status, await gone.text()]).toEqual([404, await unknown.text()]);
    expect(admin.lines.join('\n')).not.toContain(new URL(url).pathname.slice(5));
  });
});

describe('the key of the API', () => {
  const withKey = (key: string, from?: string) => {
    const forwarded = from === undefined ? {} : { 'x-forwarded-for': from };
    const headers = { authorization: `Bearer ${key}`, ...forwarded };
    return fetch(`${admin.url}/admin/purchases/1`, { headers });
  };

  test('is replaced while the service runs', async () => {
    const fresh = 'fresh-admin-key-0123456789abcdefghijk';
    expect((await withKey(fresh)).status).toBe(401);
    keys = [fresh, KEY];
    expect([(await withKey(fresh)).status, (await withKey(KEY)).status]).toEqual([200, 200]);
    keys = [fresh];
    expect((await withKey(KEY)).status).toBe(401);
    keys = [KEY];
  });

  test('may be guessed some times from one address, and then no more', async () => {
    const statuses: number[] = [];
    for (let time = 0; time < 25; time += 1) statuses.push((await withKey(`wrong-${time}`)).status);
    expect(statuses).toContain(401);
    expect(statuses.at(-1)).toBe(429);
    const right = await withKey(KEY);
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await withKey(KEY, '203.0.113.9')).status).toBe(200);
    expect((await withKey('wrong', '203.0.113.9')).status).toBe(401);
  });
});
