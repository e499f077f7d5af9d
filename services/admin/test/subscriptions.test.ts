import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { ConfigError, loadConfig } from '@kopeck/runtime/config';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { orderEvent, paymentEvent } from '@kopeck/testing/build-event';
import { waitFor } from '@kopeck/testing/wait-for';
import { bookOrBisect } from '../../ledger/src/book.ts';
import { inputsFor } from '../../ledger/src/inputs.ts';
import { RATES } from '../../ledger/test/books.ts';
import { adminConfig } from '../src/config.ts';
import { KEY, runAdmin, type RunningAdmin } from './running-admin.ts';

const PLAN_SERVERS = {
  'pro-30': [
    { serverId: 'de1', externalId: 'tg{user}' },
    { serverId: 'nl2', externalId: 'tg{user}-{user}', subscriptionId: 'sub{user}' },
  ],
};

let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  const env = { PLAN_SERVERS: JSON.stringify(PLAN_SERVERS) };
  admin = await runAdmin({ redisUrl: inject('redisUrl'), databaseUrl: database.url }, env);
  await admin.startService();
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});
beforeEach(() => admin.fault('de1', 'none'));

interface View {
  readonly id: string;
  readonly plan: string | null;
  readonly isActive: boolean;
  readonly expiresAt: string | null;
  readonly refreshedAt: string | null;
  readonly subscription: string;
  readonly servers: readonly object[];
}

async function purchasesOf(user: string): Promise<readonly View[]> {
  const headers = { authorization: `Bearer ${KEY}` };
  const response = await fetch(`${admin.url}/admin/purchases?user=${user}`, { headers });
  return ((await response.json()) as { purchases: readonly View[] }).purchases;
}

/** As the ledger's booking leaves it. */
function subscribe(user: string, plan: string, until: Date | null): Promise<unknown> {
  return admin.pool.query(
    `INSERT INTO subscriptions (user, plan, active_until, updated_at) VALUES (?, ?, ?, UTC_TIMESTAMP(6))
     ON DUPLICATE KEY UPDATE active_until = VALUES(active_until)`,
    [user, plan, until],
  );
}

const LINK = 'vless://a@de1.vpn-fixture.test:443#one';
const give = (server: string, externalId: string): Promise<void> =>
  admin.subscribe({ server, externalId, links: [LINK] });
const inDays = (days: number): Date => new Date(Date.UTC(2100, 0, days));

describe('a subscription that was paid', () => {
  test('makes one purchase, however many copies look, and its links are fetched', async () => {
    await Promise.all([give('de1', 'tg42'), give('nl2', 'tg42-42')]);
    await subscribe('42', 'pro-30', inDays(1));
    const [made, ...others] = await waitFor(async () => {
      const found = await purchasesOf('42');
      return (found[0]?.refreshedAt ?? null) !== null && found;
    });
    expect(others).toEqual([]);
    expect(made).toMatchObject({
      plan: 'pro-30',
      isActive: true,
      expiresAt: inDays(1).toISOString(),
      servers: [
        { serverId: 'de1', externalId: 'tg42', subscriptionId: null, links: 1 },
        { serverId: 'nl2', externalId: 'tg42-42', subscriptionId: 'sub42', links: 1 },
      ],
    });
    const page = await fetch(`${admin.url}${made?.subscription}?format=plain`);
    expect(await page.text()).toBe(`${LINK}\n${LINK}\n`);
    const ends = inDays(1).getTime() / 1_000;
    expect(page.headers.get('subscription-userinfo')).toContain(`expire=${ends}`);
  });

  test('is followed when it is renewed, taken back, and paid again', async () => {
    await subscribe('43', 'pro-30', inDays(1));
    const seen = (wanted: Partial<View>) =>
      waitFor(async () => {
        const found = await purchasesOf('43');
        expect(found).toMatchObject([wanted]);
        return found[0];
      });
    const first = await seen({ expiresAt: inDays(1).toISOString() });
    await subscribe('43', 'pro-30', inDays(31));
    await seen({ id: first.id, expiresAt: inDays(31).toISOString(), isActive: true });
    await subscribe('43', 'pro-30', null);
    await seen({ id: first.id, expiresAt: null, isActive: false });
    expect((await fetch(`${admin.url}${first.subscription}`)).status).toBe(404);
    await subscribe('43', 'pro-30', inDays(61));
    await seen({ id: first.id, subscription: first.subscription, isActive: true });
  });

  test('makes none of a plan that has no servers here, nor of one that has ended', async () => {
    await subscribe('44', 'other', inDays(1));
    await subscribe('45', 'pro-30', new Date(0));
    await subscribe('46', 'pro-30', inDays(1));
    await waitFor(async () => (await purchasesOf('46')).length === 1);
    expect([await purchasesOf('44'), await purchasesOf('45')]).toEqual([[], []]);
  });
});

test('a payment of a plan that the ledger books makes its buyer a purchase, with an address that serves', async () => {
  await Promise.all([give('de1', 'tg60'), give('nl2', 'tg60-60')]);
  const price = { asset: 'XTR', amount: '450' };
  const paid = { source: 'telegram', reference: 'kp_60', payer: '60', paid: price } as const;
  const grants = [{ kind: 'subscription', user: '60', plan: 'pro-30', days: 30 }] as const;
  const time = new Date();
  const books = { pool: admin.pool, now: () => new Date() };
  await bookOrBisect({ ...books, inputsFor: (each) => inputsFor(RATES, each) }, [
    orderEvent('crypto', { orderId: 'kp_60', price, grants: [...grants] }),
    paymentEvent('payment.paid', { ...paid, paymentId: 'stars-60', time }),
  ]);
  const [made] = await waitFor(async () => {
    const found = await purchasesOf('60');
    return (found[0]?.refreshedAt ?? null) !== null && found;
  });
  const ends = new Date(time.getTime() + 30 * 86_400_000).toISOString();
  expect(made).toMatchObject({ plan: 'pro-30', isActive: true, expiresAt: ends });
  const page = await fetch(`${admin.url}${made?.subscription}?format=plain`);
  expect(await page.text()).toBe(`${LINK}\n${LINK}\n`);
});

describe('links that are old', () => {
  const ask = async (url: string): Promise<string> =>
    Buffer.from(await (await fetch(url)).text(), 'base64').toString();

  test('are served as they are, and read anew behind the client’s back', async () => {
    await give('de1', 'tg50');
    await give('nl2', 'tg50-50');
    await subscribe('50', 'pro-30', inDays(1));
    const [{ id, subscription } = { id: '', subscription: '' }] = await waitFor(async () => {
      const found = await purchasesOf('50');
      return (found[0]?.refreshedAt ?? null) !== null && found;
    });
    // Another process: this one has tried that purchase a moment ago, and waits a minute.
    await admin.stopService();
    await admin.startService();
    const url = `${admin.url}${subscription}`;
    const moved = LINK.replace('de1', 'de9');
    await admin.subscribe({ server: 'de1', externalId: 'tg50', links: [moved] });
    expect(await ask(url)).not.toContain(moved);
    const askedFor = async (): Promise<number> =>
      (await admin.asked()).filter(({ externalId }) => externalId === 'tg50').length;
    // A refresh of another one, begun later, is over: one behind the client's back would be too.
    const [other = { id: '' }] = await purchasesOf('42');
    expect((await admin.refresh(other.id)).status).toBe(200);
    expect(await askedFor()).toBe(1);

    await admin.pool.query(
      'UPDATE purchases SET refreshed_at = refreshed_at - INTERVAL 61 MINUTE WHERE id = ?',
      [id],
    );
    await admin.fault('de1', 'slow', { ms: 300 });
    expect(await ask(url)).not.toContain(moved);
    await waitFor(async () => (await ask(url)).includes(moved));
    expect(await askedFor()).toBe(2);
  });
});

test('servers of plans are refused where they make no sense, and are not quoted', () => {
  const env = {
    REDIS_URL: 'redis://127.0.0.1:6379',
    JOURNAL_DIR: '/tmp',
    DATABASE_URL: 'mysql://admin:password@127.0.0.1/kopeck',
    ADMIN_API_KEY: 'k'.repeat(32),
  };
  const load = (servers: unknown) => () =>
    loadConfig(adminConfig, { ...env, PLAN_SERVERS: JSON.stringify(servers) });
  expect(load(PLAN_SERVERS)().PLAN_SERVERS).toEqual(PLAN_SERVERS);
  for (const wrong of [
    'canary',
    { 'pro-30': [] },
    { 'pro-30': [{ serverId: 'de1', externalId: 'canary' }] },
    { 'pro 30': PLAN_SERVERS['pro-30'] },
    { 'pro-30': [{ serverId: 'de1', externalId: 'tg{user}', canary: '1' }] },
  ]) {
    expect(load(wrong)).toThrow(ConfigError);
    expect(load(wrong)).toThrow(/PLAN_SERVERS: JSON, by plan/);
    expect(load(wrong)).not.toThrow(/canary/);
  }
});
