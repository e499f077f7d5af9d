import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { TIMING } from '../src/start-admin.ts';
import { bulksOf, HEADERS, sumOf } from './bulks.ts';
import { DIALECTS, type DialectCase } from './dialects.ts';
import { runAdmin, type RunningAdmin } from './running-admin.ts';
import { QUICK } from './timing.ts';

const ANSWER_MS = 1_500;
const STREAM_MS = 500;

/** Another server of a dialect, which is asked as often as production asks one, at test speed. */
function slow(name: string): DialectCase {
  const dialect = DIALECTS.find((each) => each.name === name);
  if (dialect === undefined) throw new Error(`no dialect ${name}`);
  const id = 'slow';
  return {
    ...dialect,
    server: { ...dialect.server, id },
    config: (origin) => ({
      ...dialect.config(origin),
      url: `${origin}/panel/${id}`,
      perSecond: 35,
    }),
    subscriber: { ...dialect.subscriber, server: id },
  };
}

let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  const places = { redisUrl: inject('redisUrl'), databaseUrl: database.url };
  admin = await runAdmin(
    places,
    {},
    {
      panels: [...DIALECTS, slow('3x-ui 3.6.0')],
      deadlines: { answerMs: ANSWER_MS, purchaseMs: 10_000 },
      timing: { ...QUICK, streamMs: STREAM_MS },
    },
  );
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});
beforeEach(async () => {
  await admin.pool.query('UPDATE purchases SET is_active = FALSE');
});

const { purchases, purchaseOn, start, finished } = bulksOf(() => admin);

test('a bulk of two servers goes at the pace of the slow one, and no wait of ours is a time-out of theirs', async () => {
  // Forty at once, which Marzban bears, would be eighty requests at the slow one: 2.3 s of waiting.
  for (let n = 0; n < 40; n += 1) await purchaseOn(['marzban-0-8-4', 'slow']);
  const jobId = await start();
  expect(await finished(jobId)).toMatchObject({ total: 40, ok: 40, byError: {} });
  const lanes = 'SELECT DISTINCT lane FROM refresh_job_items WHERE job_id = ?';
  expect((await admin.pool.query(lanes, [jobId]))[0]).toEqual([{ lane: 'slow' }]);
  expect((await admin.most())['slow']).toBeLessThanOrEqual(2);
});

test('who waits for his turn longer than a panel may take for an answer is no failure of that panel', async () => {
  const ids = await purchases(70, ['slow']);
  const answers = await Promise.all(ids.map((id) => admin.refresh(id)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

test('a bulk on panels of all dialects, of which one hangs, logs in once to each and keeps to what it bears', async () => {
  const hanging = 'remnawave-3-3-2';
  const servers = DIALECTS.map(({ server }) => server.id);
  await purchases(8 * servers.length, servers);
  for (const server of servers) await admin.fault(server, 'slow', { ms: 100 });
  await admin.fault(hanging, 'hang');
  const progress = await finished(await start());
  const total = 8 * servers.length;
  expect(progress).toMatchObject({ total, ok: total - 8, connectionErrors: 8 });
  expect(progress.byServer[hanging]).toEqual({ total: 8, done: 8, failed: 8 });
  expect(sumOf(progress)).toBe(total);

  const log = await admin.log();
  const most = await admin.most();
  for (const { server } of DIALECTS) {
    const logins = log.filter(
      (each) => each.server === server.id && /^\/(login|api\/admin\/token)$/.test(each.path),
    );
    const hasLogin = ['3x-ui', 'marzban', 'pasarguard'].includes(server.kind);
    expect([server.id, logins.length]).toEqual([server.id, hasLogin ? 1 : 0]);
    expect(most[server.id]).toBeLessThanOrEqual(BEARS[server.kind]);
  }
  // Those that hang are there long enough to be seen together.
  expect(most[hanging]).toBeGreaterThan(1);
}, 60_000);

/** Requests at once, as docs/api/admin.md promises. */
const BEARS = {
  '3x-ui': 2,
  marzban: 4,
  pasarguard: 4,
  remnawave: 8,
  hiddify: 2,
  sandbox: 8,
} as const;

test('an address tells clients what all panels of the purchase have counted and allow', async () => {
  const id = await purchaseOn(['marzban-0-8-4', '3x-ui-3-6-0']);
  expect((await admin.refresh(id)).body).toMatchObject({ result: 'updated', links: 2 });
  const path = `${admin.url}/admin/purchases/${id}`;
  const { subscription } = (await (await fetch(path, { headers: HEADERS })).json()) as {
    subscription: string;
  };
  const { headers } = await fetch(`${admin.url}${subscription}`);
  // 1,288,490,188 of 53,687,091,200 bytes on each of the two.
  expect(headers.get('subscription-userinfo')).toBe(
    'upload=0; download=2576980376; total=107374182400; expire=1785974400',
  );
});

test('a stream of a bulk that is under way tells how far it is, and ends itself', async () => {
  await admin.fault('de1', 'hang');
  await purchases(1, ['de1']);
  const jobId = await start();
  const url = `${admin.url}/admin/update_configs/jobs/${jobId}/events`;
  const told = await (await fetch(url, { headers: HEADERS })).text();
  expect(told).toMatch(/^retry: 1000\n\nevent: progress\ndata: \{.*"done":0,.*\}\n\n$/);
  await admin.fault('de1', 'none');
  await finished(jobId);
  // Of production, as the page of the API says.
  expect(TIMING.streamMs).toBe(25_000);
});
