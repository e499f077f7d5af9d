import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import type { AffiliateAction } from '@kopeck/core/event';
import { openEpnStats } from '@kopeck/sandbox/epn-stats/epn-stats';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { waitFor } from '@kopeck/testing/wait-for';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { epnServiceConfig } from '../src/config.ts';
import { epnNetwork } from '../src/epn/config.ts';
import { openStatsClient } from '../src/stats/client.ts';
import { readListed } from '../src/stats/listed.ts';
import { StatsError } from '../src/stats/reach.ts';
import { rowEvent } from '../src/stats/row-event.ts';
import { startReconciling } from '../src/stats/start-reconciling.ts';
import { openTokenFile } from '../src/stats/token-file.ts';
import { eventOf, got } from './postbacks.ts';
import { runEpn } from './running-epn.ts';

const CLIENT = 'client-of-the-test';
const FIRST = 'first-refresh-token-of-the-test';
const SECRET = 'client-secret-of-the-test';
const KEY = 'ab'.repeat(32);

let sandbox: Sandbox;
let origin: string;
let dir: string;
beforeAll(async () => {
  const doubles = [openEpnStats({ clientId: CLIENT, refreshToken: FIRST, clientSecret: SECRET })];
  sandbox = createSandbox({ doubles, now: () => new Date() });
  origin = await sandbox.listen(0);
  dir = await mkdtemp(join(tmpdir(), 'kopeck-stats-'));
});
beforeEach(() => control('POST', '/__sandbox/reset'));
afterAll(async () => {
  await sandbox.close();
  await rm(dir, { recursive: true });
});

async function control(method: string, path: string, body: unknown = {}): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${origin}${path}`, { method, headers, body: JSON.stringify(body) });
  expect(answer.ok).toBe(true);
}

const DAY_MS = 86_400_000;
/** As the API writes days. */
const day = (at: Date, ago = 0): string =>
  new Date(at.getTime() - ago * DAY_MS).toISOString().slice(0, 10);

const rowOf = (id: string, status: string) => ({
  id,
  attributes: {
    transactionId: id,
    order_number: '8190044512207',
    order_status: status,
    revenue: '2349.90',
    commission_user: '96.35',
    currency: 'RUB',
    click_id: 'u-5021',
    sub1: 'tg',
    order_time: `${day(new Date(), 30)} 18:40:07`,
    offer_id: '1',
  },
});

const POSTBACK =
  'click_id=u-5021&order_number=8190044512207&revenue=2349.9&commission_fee=96.350&currency=RUB';

test('a row makes the event of its postback, with its id and content', async () => {
  const network = epnNetwork({ EPN_DEFAULT_CURRENCY: 'RUB' });
  for (const [theirs, ours] of [
    ['approved', 'completed'],
    ['rejected', 'rejected'],
    ['canceled', 'rejected'],
  ] as const) {
    const made = rowEvent(rowOf('770014201', theirs), network, new Date(0));
    const posted = await eventOf(got(`${POSTBACK}&uniq_id=770014201&order_status=${ours}`));
    expect(made).toMatchObject({
      event: { id: posted.id, contenthash: posted.contenthash, subject: posted.subject },
    });
  }
  for (const open of ['pending', 'hold', 'waiting']) {
    expect(rowEvent(rowOf('1', open), network, new Date(0))).toMatchObject({ kind: 'ignored' });
  }
  expect(rowEvent({ id: 5 }, network, new Date(0))).toMatchObject({ kind: 'senseless' });
});

test('what is missing here is journaled once, and what is here is a repeat', async () => {
  const rows = Array.from({ length: 520 }, (_, index) => rowOf(`api-${index}`, 'approved'));
  await control('POST', '/__sandbox/epn-stats/rows', rows.slice(0, 260));
  await control('POST', '/__sandbox/epn-stats/rows', [...rows.slice(260), rowOf('open', 'hold')]);
  const epn = await runEpn(inject('redisUrl'), {
    EPN_STATS_CLIENT_ID: CLIENT,
    EPN_STATS_REFRESH_TOKEN: FIRST,
    EPN_STATS_KEY: KEY,
    EPN_STATS_URL: `${origin}/epn-stats`,
    EPN_STATS_OAUTH_URL: `${origin}/epn-stats`,
  });
  try {
    const found = () => epn.lines.some((line) => /reconciled with/.test(line));
    await waitFor(found, { timeoutMs: 20_000 });
    expect(epn.lines.join('\n')).toMatch(
      /rows: 521,\s+accepted: 520,\s+duplicates: 0,\s+passedOver: 1/,
    );
    const answer = await fetch(`${epn.webhook}?${POSTBACK}&uniq_id=api-519&order_status=completed`);
    expect(await answer.json()).toMatchObject({ status: 'duplicate' });
    await waitFor(async () => (await epn.queued()).length >= 520);
    const ids = (await epn.queued()).map(({ data }) => (data as AffiliateAction).actionId);
    expect(new Set(ids).size).toBe(520);

    const listed = await waitFor(() => readListed(epn.redis, epn.prefix));
    expect(listed.actionIds).toEqual([...rows.map(({ id }) => id), 'open']);

    const kept = await readdir(epn.journalDir);
    expect(kept).toContain('epn-stats.token');
    const sealed = await readFile(join(epn.journalDir, 'epn-stats.token'), 'latin1');
    expect(sealed).not.toContain('refresh');
    for (const secret of [FIRST, KEY]) expect(epn.lines.join('\n')).not.toContain(secret);
  } finally {
    await epn.close();
  }
}, 60_000);

test('the first look of a day goes back 45 days, the others three, and none above the year that EPN has', async () => {
  const today = new Date();
  const changed = (id: string, ago: number) => ({
    ...rowOf(id, 'approved'),
    updated: day(today, ago),
  });
  const ordered = (id: string, ago: number) => {
    const row = changed(id, 0);
    return { ...row, attributes: { ...row.attributes, order_time: `${day(today, ago)} 00:00:01` } };
  };
  await control('POST', '/__sandbox/epn-stats/rows', [
    ...[0, 3, 4, 45, 46].map((ago) => changed(`changed-${ago}`, ago)),
    ...[364, 365].map((ago) => ordered(`ordered-${ago}`, ago)),
  ]);
  const epn = await runEpn(inject('redisUrl'));
  const listed: (readonly string[])[] = [[], []];
  let now = today;
  const reconciling = startReconciling(
    {
      EPN_STATS_CLIENT_ID: CLIENT,
      EPN_STATS_REFRESH_TOKEN: FIRST,
      EPN_STATS_KEY: KEY,
      EPN_STATS_URL: `${origin}/epn-stats`,
      EPN_STATS_OAUTH_URL: `${origin}/epn-stats`,
      EPN_STATS_EVERY_HOURS: 1 / 3_600 / 5,
      EPN_DEFAULT_CURRENCY: 'RUB',
      JOURNAL_DIR: dir,
      REDIS_PREFIX: epn.prefix,
    },
    {
      append: async ({ subject }) => {
        const id = subject.split(':').at(-1) ?? '';
        const look = (await asked()).length - 1;
        listed[look] = [...(listed[look] ?? []), id];
        return 'accepted';
      },
      log: noLog,
      now: () => now,
      metrics: createMetrics('epn'),
      incidents: { open: () => undefined, close: () => undefined },
      redis: epn.redis,
    },
  );
  try {
    const looks = await waitFor(async () => (await asked()).length >= 2 && asked());
    const year = { tsFrom: day(today, 364), tsTo: day(today), statusUpdatedEnd: day(today) };
    expect(looks.slice(0, 2)).toEqual([
      { ...year, statusUpdatedStart: day(today, 45) },
      { ...year, statusUpdatedStart: day(today, 3) },
    ]);
    const lately = ['changed-0', 'changed-3'];
    await waitFor(() => (listed[1]?.length ?? 0) >= 3);
    expect(listed[0]).toEqual([...lately, 'changed-4', 'changed-45', 'ordered-364']);
    expect(listed[1]).toEqual([...lately, 'ordered-364']);
    now = new Date(today.getTime() + DAY_MS);
    await waitFor(async () => (await asked()).at(-1)?.['statusUpdatedStart'] === day(now, 45));
  } finally {
    reconciling?.stop();
    await epn.close();
  }
  // What the double holds a look against.
  const client = clientAt(join(dir, 'epn-stats.token'));
  await expect(client.page({ tsFrom: day(today, 366) }, 1)).rejects.toThrow('HTTP 400');
});

async function asked(): Promise<readonly Readonly<Record<string, string>>[]> {
  return (await (await fetch(`${origin}/__sandbox/epn-stats/queries`)).json()) as [];
}

test('the refresh token is on disk before its access token is used, and outlives a restart', async () => {
  await control('POST', '/__sandbox/epn-stats/rows', [rowOf('1', 'approved')]);
  const path = join(dir, 'rotating.token');
  const client = clientAt(path);
  expect((await client.page({}, 1)).rows).toHaveLength(1);
  const second = openTokenFile(path, KEY, FIRST).read();
  expect(second).toMatch(/^refresh-/);

  await control('POST', '/__sandbox/epn-stats/expire');
  expect((await client.page({}, 1)).rows).toHaveLength(1);
  const third = openTokenFile(path, KEY, FIRST).read();
  expect(third).not.toBe(second);

  expect((await clientAt(path).page({}, 1)).rows).toHaveLength(1);
  expect(openTokenFile(path, KEY, FIRST).read()).not.toBe(third);
  // Another first token in the configuration, or another key, and the file says nothing.
  expect(openTokenFile(path, KEY, 'another').read()).toBeNull();
  expect(openTokenFile(path, 'cd'.repeat(32), FIRST).read()).toBeNull();
});

test('a refused token is said without being quoted', async () => {
  const stale = clientAt(join(dir, 'stale.token'), 'no-such-refresh-token');
  await expect(stale.page({}, 1)).rejects.toThrow(StatsError);
  await expect(stale.page({}, 1)).rejects.not.toThrow(/no-such/);
});

test('with the client’s secret it signs in where no refresh token is accepted, once a day', async () => {
  const path = join(dir, 'signed-in.token');
  const now = { ms: Date.UTC(2026, 9, 5) };
  const stale = clientAt(path, 'no-such-refresh-token', { secret: SECRET, now });
  expect((await stale.page({}, 1)).rows).toEqual([]);
  expect(openTokenFile(path, KEY, 'no-such-refresh-token').read()).toMatch(/^refresh-/);

  // A second session of the day would ask for a captcha: it is not even asked for.
  const other = clientAt(join(dir, 'none.token'), undefined, { secret: SECRET, now });
  await expect(other.page({}, 1)).rejects.toThrow('no session: HTTP 429');
  await expect(other.page({}, 1)).rejects.toThrow('signed in already today');
  await control('POST', '/__sandbox/reset');
  now.ms += 24 * 3_600_000;
  expect((await other.page({}, 1)).rows).toEqual([]);
});

test('the first refresh token is needed unless there is a secret', () => {
  const known = { EPN_DEFAULT_CURRENCY: 'RUB', JOURNAL_DIR: dir, REDIS_URL: 'redis://x' };
  const stats = { ...known, EPN_STATS_CLIENT_ID: CLIENT, EPN_STATS_KEY: KEY };
  expect(() => loadConfig(epnServiceConfig, stats)).toThrow(/EPN_STATS_REFRESH_TOKEN/);
  for (const more of [{ EPN_STATS_REFRESH_TOKEN: FIRST }, { EPN_STATS_CLIENT_SECRET: SECRET }]) {
    expect(() => loadConfig(epnServiceConfig, { ...stats, ...more })).not.toThrow();
  }
});

interface Circumstances {
  readonly secret?: string;
  readonly now?: { readonly ms: number };
}

function clientAt(
  path: string,
  first: string | undefined = FIRST,
  { secret, now = { ms: 0 } }: Circumstances = {},
) {
  return openStatsClient(
    {
      EPN_STATS_CLIENT_ID: CLIENT,
      ...(secret === undefined || first !== FIRST ? { EPN_STATS_REFRESH_TOKEN: first } : {}),
      ...(secret === undefined ? {} : { EPN_STATS_CLIENT_SECRET: secret }),
      EPN_STATS_KEY: KEY,
      EPN_STATS_URL: `${origin}/epn-stats`,
      EPN_STATS_OAUTH_URL: `${origin}/epn-stats`,
      EPN_STATS_EVERY_HOURS: 6,
    },
    openTokenFile(path, KEY, first),
    () => new Date(now.ms),
  );
}
