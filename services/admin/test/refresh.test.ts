import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { decodeEvent } from '@kopeck/core/event-schema';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { bookOrBisect } from '../../ledger/src/book.ts';
import { explainEvent, findEvents } from '../../ledger/src/explain.ts';
import { inputsFor } from '../../ledger/src/inputs.ts';
import { RATES } from '../../ledger/test/books.ts';
import { seedPurchase } from '../src/seed.ts';
import { KEY, OLD_KEY, PANEL_TOKEN, runAdmin, type RunningAdmin } from './running-admin.ts';

let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  admin = await runAdmin({ redisUrl: inject('redisUrl'), databaseUrl: database.url });
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});
beforeEach(async () => {
  for (const server of ['de1', 'nl2', 'fi3']) await admin.fault(server, 'none');
});

const link = (server: string, id: string, remark = 'r'): string =>
  `vless://${id}@${server}.vpn-fixture.test:443?type=tcp#${remark}`;

let last = 0;

/** A purchase of its own, with one link on each of the servers. */
async function purchase(...servers: string[]): Promise<string> {
  last += 1;
  const id = String(last);
  await seedPurchase(admin.pool, {
    id,
    servers: servers.map((serverId) => ({ serverId, externalId: `buyer/${id}` })),
  });
  for (const server of servers) await give(server, id, [link(server, id)]);
  return id;
}

function give(server: string, id: string, links: readonly string[]): Promise<void> {
  return admin.subscribe({ server, externalId: `buyer/${id}`, links });
}

function queuedFor(id: string) {
  return waitFor(async () => {
    const events = await admin.queued();
    const mine = events.filter(({ subject }) => subject === `purchase:${id}`);
    return mine.length > 0 && mine;
  });
}

describe('a refresh', () => {
  test('keeps what all servers give, and tells the ledger', async () => {
    const id = await purchase('de1', 'nl2');
    const { status, body } = await admin.refresh(id);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        result: 'updated',
        links: 2,
        version: 1,
        servers: ['de1', 'nl2'].map((serverId) => ({
          serverId,
          ok: true,
          links: 1,
          ms: expect.any(Number) as number,
        })),
      },
    });
    expect(await admin.links(id)).toEqual([link('de1', id), link('nl2', id)]);

    const [event, ...others] = await queuedFor(id);
    expect(others).toEqual([]);
    expect(decodeEvent('events-admin', event)).toMatchObject({
      source: 'admin',
      type: 'config.refreshed',
      data: { purchaseId: id, result: 'updated', links: 2 },
    });

    const books = { pool: admin.pool, now: () => new Date() };
    const events = event === undefined ? [] : [event];
    await bookOrBisect({ ...books, inputsFor: (each) => inputsFor(RATES, each) }, events);
    expect(await findEvents(admin.pool, `purchase:${id}`)).toEqual([event?.id]);
    expect(await explainEvent(admin.pool, event?.id ?? '')).toMatchObject({
      type: 'config.refreshed',
      outcome: 'noted',
    });
  });

  test('of the same links is unchanged, whatever their remarks and usage say now', async () => {
    const id = await purchase('de1');
    await admin.refresh(id);
    const links = [link('DE1', id, '2 days left')];
    await admin.subscribe({ server: 'de1', externalId: `buyer/${id}`, links, usedBytes: 1 });
    const { status, body } = await admin.refresh(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ result: 'unchanged', links: 1, version: 1 });

    await give('de1', id, [link('de9', id), link('de8', id)]);
    expect((await admin.refresh(id)).body).toMatchObject({ result: 'updated', version: 2 });
    expect(await admin.links(id)).toEqual([link('de9', id), link('de8', id)]);
  });

  test.each([
    ['reset', 'connection'],
    ['status', 'busy'],
    ['html', 'protocol'],
    ['empty', 'empty'],
    ['hang', 'timeout'],
  ])('keeps the links of a server that answers with %s', async (fault, error) => {
    const id = await purchase('de1', 'nl2');
    await admin.refresh(id);
    await give('de1', id, [link('moved', id)]);
    await give('nl2', id, [link('moved', id)]);
    await admin.fault('nl2', fault);

    const { status, body } = await admin.refresh(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      result: 'partial',
      links: 2,
      version: 2,
      servers: [{ ok: true }, { serverId: 'nl2', ok: false, links: 1, error }],
    });
    expect(await admin.links(id)).toEqual([link('moved', id), link('nl2', id)]);
  });

  test.each([
    ['de1', 'status', { status: 500 }, 502, 'panel_unreachable'],
    ['de1', 'status', { status: 429 }, 502, 'panel_unreachable'],
    ['de1', 'status', { status: 404 }, 502, 'subscriber_missing'],
    ['de1', 'status', { status: 302 }, 502, 'panel_protocol'],
    ['de1', 'reset', {}, 502, 'panel_unreachable'],
    ['de1', 'html', {}, 502, 'panel_protocol'],
    ['de1', 'empty', {}, 502, 'subscriber_missing'],
    ['de1', 'hang', {}, 504, 'panel_timeout'],
  ] as const)('that %s answers with %s %j is stale and no success', async (...row) => {
    const [server, fault, more, status, error] = row;
    const id = await purchase(server);
    await admin.refresh(id);
    await admin.fault(server, fault, more);

    const answer = await admin.refresh(id);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error, cached: true });
    expect(await admin.links(id)).toEqual([link(server, id)]);
    const results = async () => (await queuedFor(id)).map(({ data }) => data);
    await waitFor(async () => (await results()).length === 2);
    expect(await results()).toContainEqual(expect.objectContaining({ result: 'stale', links: 1 }));
  });

  test.each([
    ['gone', 'panel_unreachable'],
    ['untrusted', 'panel_unreachable'],
    ['locked', 'panel_auth'],
    ['nowhere', 'no_server'],
  ])('on the server "%s" alone fails, since nothing is kept', async (server, error) => {
    const id = await purchase(server);
    const answer = await admin.refresh(id);
    expect(answer.status).toBe(502);
    expect(answer.body).toMatchObject({ result: 'failed', error, cached: false });
  });

  test('takes a slow panel’s answer as long as it is in time', async () => {
    const id = await purchase('de1');
    await admin.fault('de1', 'slow', { ms: 50, times: 1 });
    expect((await admin.refresh(id)).body).toMatchObject({ result: 'updated' });
  });
});

describe('two refreshes of one purchase', () => {
  test('at once are one: the other is told to come again', async () => {
    const id = await purchase('de1');
    const before = (await admin.asked()).length;
    await admin.fault('de1', 'hang');
    const first = admin.refresh(id);
    await waitFor(async () => (await admin.asked()).length === before + 1);

    const second = await admin.refresh(id);
    expect(second.status).toBe(409);
    expect(second.body).toEqual({ error: 'refresh_in_progress' });
    expect(second.headers.get('retry-after')).toBe('5');

    await admin.fault('de1', 'none');
    expect((await first).body).toMatchObject({ result: 'updated' });
    expect(await admin.asked()).toHaveLength(before + 1);
    expect((await admin.refresh(id)).body).toMatchObject({ result: 'unchanged' });
  });

  test('ten at once leave one set of links and one version', async () => {
    const id = await purchase('de1', 'nl2');
    const answers = await Promise.all(Array.from({ length: 10 }, () => admin.refresh(id)));
    const updated = answers.filter(
      ({ body }) => (body as { result?: string }).result === 'updated',
    );
    expect(updated).toHaveLength(1);
    expect(answers.map(({ status }) => status).every((status) => [200, 409].includes(status))).toBe(
      true,
    );
    expect(await admin.links(id)).toHaveLength(2);
  });

  test('do not wait for ever for one whose process has died', async () => {
    const id = await purchase('de1');
    const lease = (until: string): Promise<unknown> =>
      admin.pool.query(
        `UPDATE purchases SET refresh_lease = 'dead', refresh_lease_until = ${until} WHERE id = ?`,
        [Number(id)],
      );
    await lease('UTC_TIMESTAMP(3) + INTERVAL 60 SECOND');
    expect((await admin.refresh(id)).status).toBe(409);
    await lease('UTC_TIMESTAMP(3) - INTERVAL 1 SECOND');
    expect((await admin.refresh(id)).status).toBe(200);
  });
});

describe('the contract', () => {
  test.each(['0', '01', '-1', '1.5', '1e3', 'abc', '%zz', '%31', '12345678901234567890', '１'])(
    'calls %s no id',
    async (id) => {
      const { status, body } = await admin.refresh(id);
      expect({ status, body }).toEqual({ status: 400, body: { error: 'invalid_purchase_id' } });
    },
  );

  test('knows no purchase by a number that is only near its id', async () => {
    await seedPurchase(admin.pool, { id: '9007199254740992', servers: [] });
    expect((await admin.refresh('9007199254740993')).status).toBe(404);
    expect((await admin.refresh('9999999999999999999')).status).toBe(404);
    expect((await admin.refresh('9007199254740992')).status).toBe(409);
  });

  test('refuses an unknown purchase, an inactive one, and one that lives nowhere', async () => {
    await seedPurchase(admin.pool, { id: '70001', servers: [], isActive: false });
    await seedPurchase(admin.pool, { id: '70002', servers: [] });
    const refusals = [
      ['70000', 404, 'purchase_not_found', 'Purchase not found'],
      ['70001', 409, 'purchase_inactive', 'Purchase is not active'],
      ['70002', 409, 'no_subscription', 'Purchase has no subscription ID'],
    ] as const;
    for (const [id, status, error, text] of refusals) {
      expect(await admin.refresh(id)).toMatchObject({ status, body: { error } });
      const headers = { authorization: `Bearer ${KEY}`, accept: 'text/plain' };
      expect(await admin.refresh(id, headers)).toMatchObject({ status, text });
    }
    expect((await admin.queued()).map(({ subject }) => subject)).not.toContain('purchase:70001');
  });

  test('is plain text for whoever asks for it', async () => {
    const id = await purchase('de1');
    const headers = { authorization: `Bearer ${KEY}`, accept: 'text/plain' };
    const updated = await admin.refresh(id, headers);
    expect(updated).toMatchObject({ status: 200, text: 'Configs updated successfully' });
    expect(updated.headers.get('content-type')).toMatch(/^text\/plain/);
    await admin.fault('de1', 'reset');
    expect(await admin.refresh(id, headers)).toMatchObject({
      status: 502,
      text: 'Failed to update configs',
    });
    expect(await admin.refresh('x', headers)).toMatchObject({ text: 'Invalid purchase ID format' });
  });

  test('opens to each key of the list and to nothing else', async () => {
    const id = await purchase('de1');
    expect((await admin.refresh(id, { authorization: `Bearer ${OLD_KEY}` })).status).toBe(200);

    const others = [
      '',
      'Bearer',
      `Basic ${KEY}`,
      `Bearer ${KEY}x`,
      `Bearer ${KEY},${OLD_KEY}`,
      KEY,
    ];
    for (const authorization of others) {
      const { status, body, headers } = await admin.refresh(id, { authorization });
      expect({ status, body }).toEqual({ status: 401, body: { error: 'unauthorized' } });
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
    const accept = 'text/plain';
    expect((await admin.refresh('x', { accept })).text).toBe('Unauthorized');
    const wrong = { accept, authorization: 'Bearer your-secret-key' };
    expect((await admin.refresh('x', wrong)).text).toBe('Invalid API key');
  });

  test('has one verb and one path', async () => {
    const path = `${admin.url}/admin/update_configs`;
    const got = await fetch(`${path}/1`);
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('POST');
    expect((await fetch(`${path}/1/`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${path}/%zz`, { method: 'POST' })).status).toBe(401);
  });

  test('shows no key, token or password to log, journal or caller', async () => {
    const id = await purchase('locked', 'gone', 'de1');
    const { text } = await admin.refresh(id);
    const names = await readdir(admin.journalDir);
    const files = await Promise.all(names.map((name) => readFile(join(admin.journalDir, name))));
    const kept = [
      text,
      admin.lines.join('\n'),
      ...files.map(String),
      JSON.stringify(await admin.queued()),
    ];
    for (const secret of [KEY, OLD_KEY, PANEL_TOKEN, new URL(database.url).password]) {
      for (const place of kept) expect(place).not.toContain(secret);
    }
  });
});

describe('a seeded purchase', () => {
  test('is made once, with a token that nobody can guess, and then left alone', async () => {
    const id = await purchase('de1');
    const token = async (): Promise<string> => {
      const [rows] = await admin.pool.query('SELECT token FROM purchases WHERE id = ?', [
        Number(id),
      ]);
      return (rows as { token: string }[])[0]?.token ?? '';
    };
    const before = await token();
    expect(before).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(await seedPurchase(admin.pool, { id, servers: [] })).toBe(false);
    expect(await token()).toBe(before);
  });
});

test('while MariaDB is away a refresh is a 503, and works again after it', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-admin-db-'));
  const mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
  const own = await createTestDatabase(mariadb.rootUrl);
  const other = await runAdmin({ redisUrl: inject('redisUrl'), databaseUrl: own.url });
  try {
    await seedPurchase(other.pool, { id: '1', servers: [{ serverId: 'de1', externalId: 'b' }] });
    await other.subscribe({ server: 'de1', externalId: 'b', links: [link('de1', '1')] });
    await mariadb.stop();
    const refused = await other.refresh('1');
    expect(refused).toMatchObject({ status: 503, body: { error: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('30');

    await mariadb.restart();
    expect((await other.refresh('1')).body).toMatchObject({ result: 'updated' });
  } finally {
    await other.close();
    await mariadb.stop();
    await rm(dir, { recursive: true });
  }
});
