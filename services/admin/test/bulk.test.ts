import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { reportText } from '../src/bulk/report.ts';
import { bulksOf, HEADERS, sumOf } from './bulks.ts';
import { runAdmin, type RunningAdmin } from './running-admin.ts';

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

const SERVERS = ['de1', 'nl2', 'fi3'];
beforeEach(async () => {
  for (const server of SERVERS) await admin.fault(server, 'none');
  await admin.pool.query('UPDATE purchases SET is_active = FALSE');
});

const { purchases, purchaseOn, post, start, retryFailed, look, finished, told } = bulksOf(
  () => admin,
);

describe('a bulk refresh', () => {
  test('of a hundred purchases, one server of three hanging, ends and adds up', async () => {
    await purchases(99, SERVERS);
    const [lost = ''] = await purchases(1, ['nowhere']);
    await admin.fault('fi3', 'hang');
    const progress = await finished(await start());
    expect(progress).toMatchObject({
      state: 'finished',
      total: 100,
      done: 100,
      ok: 66,
      partial: 0,
      failed: 1,
      connectionErrors: 33,
      byError: { no_server: 1 },
      byServer: {
        de1: { done: 33, total: 33, failed: 0 },
        fi3: { done: 33, total: 33, failed: 33 },
        nowhere: { done: 1, total: 1, failed: 1 },
      },
      etaSeconds: 0,
    });
    expect(sumOf(progress)).toBe(progress.total);
    expect(await admin.links(lost)).toEqual([]);
    const asked = (await admin.asked()).filter(({ server }) => server === 'fi3');
    expect(asked.length).toBeLessThan(33);
  });

  test('does no purchase twice: each has one event, whatever was done again', async () => {
    const ids = await purchases(30, ['de1', 'nl2']);
    const jobId = await start();
    await finished(jobId);
    const events = await waitFor(async () => {
      const mine = (await admin.queued()).filter(({ subject }) => ids.includes(subject.slice(9)));
      return mine.length >= ids.length && mine;
    });
    expect(new Set(events.map(({ subject }) => subject)).size).toBe(events.length);
    const [rows] = await admin.pool.query<RowDataPacket[]>(
      'SELECT config_version FROM purchases WHERE id IN (?)',
      [ids],
    );
    expect(new Set(rows.map((row) => row['config_version']))).toEqual(new Set([1]));
  });

  test('tells the ledger how it ended, and not of an attempt that was made again', async () => {
    const [id = ''] = await purchases(1, ['de1']);
    await admin.fault('de1', 'reset', { times: 1 });
    expect(await finished(await start())).toMatchObject({ total: 1, ok: 1 });
    expect(await told(id)).toEqual(['updated']);
  });

  test('goes on in another process where a first one was stopped, and repeats nothing', async () => {
    const ids = await purchases(24, ['de1']);
    const before = (await admin.asked()).length;
    await admin.fault('de1', 'slow', { ms: 60 });
    const jobId = await start();
    await waitFor(async () => (await look(jobId)).done > 0);
    await admin.stopService();
    await admin.fault('de1', 'none');
    await admin.startService();

    const progress = await finished(jobId);
    expect(progress).toMatchObject({ total: 24, ok: 24 });
    const asked = (await admin.asked()).slice(before).map(({ externalId }) => externalId);
    expect(asked.sort()).toEqual(ids.map((id) => `buyer/${id}`).sort());
  });

  test('goes on when Redis forgets its queues, and ends although they forgot that it has', async () => {
    const ids = await purchases(24, ['de1']);
    await admin.fault('de1', 'slow', { ms: 60 });
    const jobId = await start();
    await waitFor(async () => (await look(jobId)).done > 0);
    await admin.forget();
    await admin.fault('de1', 'none');
    expect(await finished(jobId)).toMatchObject({ total: 24, ok: 24 });

    const running = `UPDATE refresh_jobs SET state = 'running', finished_at = NULL WHERE id = ?`;
    await admin.pool.query(running, [jobId]);
    expect(await look(jobId)).toMatchObject({ state: 'finished', total: ids.length });
    await admin.pool.query(running, [jobId]);
    await waitFor(async () => {
      const [rows] = await admin.pool.query(
        `SELECT 1 FROM refresh_jobs WHERE id = ? AND state = 'finished'`,
        [jobId],
      );
      return (rows as unknown[]).length > 0;
    });
  });

  test('tries again what waiting may mend, and no credentials and no certificate', async () => {
    const ids = [await purchases(1, ['locked']), await purchases(1, ['untrusted'])].flat();
    const [reset = ''] = await purchases(1, ['de1']);
    await admin.fault('de1', 'reset', { times: 2 });
    const progress = await finished(await start());
    expect(progress).toMatchObject({ total: 3, ok: 1, failed: 1, connectionErrors: 1 });
    expect(progress.byError).toEqual({ panel_auth: 1, panel_unreachable: 1 });
    const triesOf = (id: string): number =>
      admin.lines.filter((line) => line.includes('configs refreshed') && line.includes(`'${id}'`))
        .length;
    expect([...ids, reset].map(triesOf)).toEqual([1, 1, 3]);
  });

  test('of purchases on two servers keeps the links of the one that does not answer', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await purchaseOn(['de1', 'nl2']));
    await finished(await start());
    const before = await Promise.all(ids.map(admin.links));
    expect(before.map(({ length }) => length)).toEqual(ids.map(() => 2));
    await admin.fault('nl2', 'status', { status: 503 });
    const progress = await finished(await start());
    expect(progress).toMatchObject({
      total: 6,
      partial: 6,
      byError: { busy: 6 },
      byServer: {
        de1: { total: 6, done: 6, failed: 0 },
        nl2: { total: 6, done: 6, failed: 6 },
      },
    });
    expect(sumOf(progress)).toBe(6);
    expect(await Promise.all(ids.map(admin.links))).toEqual(before);
  });

  test('tries a partial one again, and tells the ledger of the last try alone', async () => {
    const id = await purchaseOn(['de1', 'nl2']);
    await admin.fault('nl2', 'reset', { times: 2 });
    expect(await finished(await start())).toMatchObject({ total: 1, ok: 1, partial: 0 });
    expect(await admin.links(id)).toHaveLength(2);
    expect(await told(id)).toEqual(['updated']);
  });

  test('done again is one of those that failed, in part or as a whole', async () => {
    for (const servers of [['de1'], ['de1', 'nl2'], ['locked'], ['gone']])
      await purchaseOn(servers);
    await admin.fault('nl2', 'status', { status: 503 });
    const first = await start();
    const counters = { ok: 1, partial: 1, failed: 1, connectionErrors: 1 };
    expect(await finished(first)).toMatchObject({ total: 4, ...counters });
    await admin.fault('nl2', 'none');
    const retry = await finished(await retryFailed(first));
    expect(retry).toMatchObject({ total: 3, ok: 1, partial: 0, failed: 1, connectionErrors: 1 });
    expect(sumOf(retry)).toBe(3);
  });

  test('is cancelled: what waits is counted as such, and is done by a retry', async () => {
    const ids = await purchases(40, ['de1']);
    await admin.fault('de1', 'slow', { ms: 100 });
    const jobId = await start();
    const before = await waitFor(async () => (await look(jobId)).done);
    expect((await post(`/admin/update_configs/jobs/${jobId}/cancel`)).status).toBe(200);
    const cancelled = await look(jobId);
    expect(cancelled).toMatchObject({ state: 'cancelled', total: 40 });
    expect(cancelled.cancelled).toBeGreaterThan(0);
    expect(sumOf(cancelled)).toBe(40);
    expect((await post(`/admin/update_configs/jobs/${jobId}/cancel`)).status).toBe(409);

    await admin.fault('de1', 'none');
    // What was under way goes on, and is counted by what became of it.
    const settled = await waitFor(async () => {
      const [[row]] = await admin.pool.query<RowDataPacket[]>(
        'SELECT SUM(config_version) AS refreshed, COUNT(refresh_lease) AS open FROM purchases WHERE id IN (?)',
        [ids],
      );
      const seen = await look(jobId);
      expect(row).toEqual({ refreshed: String(seen.ok), open: '0' });
      return seen;
    });
    expect(settled.ok).toBeGreaterThan(before);
    expect(settled).toMatchObject({ state: 'cancelled', total: 40, failed: 0 });
    expect(sumOf(settled)).toBe(40);

    const retry = await finished(await retryFailed(jobId));
    expect(retry).toMatchObject({ retryOf: jobId, total: settled.cancelled, failed: 0 });
    expect(sumOf(retry)).toBe(retry.total);
  });

  test('of chosen purchases, or of none: a dry run counts', async () => {
    const [first = '', second = ''] = await purchases(3, ['de1']);
    const dry = await post('/admin/update_configs', { scope: 'active', dryRun: true });
    expect(dry).toEqual({ status: 200, body: { dryRun: true, total: 3 } });
    const expire =
      'UPDATE purchases SET expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE id = ?';
    await admin.pool.query(expire, [first]);
    expect(await finished(await start())).toMatchObject({ total: 2, ok: 2 });
    const chosen = await finished(await start({ scope: [first, second] }));
    expect(chosen).toMatchObject({ total: 2, ok: 2 });
    const unknown = await finished(await start({ scope: [first, '999999'] }));
    expect(unknown).toMatchObject({ total: 2, ok: 1, byError: { purchase_not_found: 1 } });
    expect((await post('/admin/update_configs', { scope: ['x'] })).status).toBe(400);
    await admin.pool.query('UPDATE purchases SET is_active = FALSE');
    expect(await finished(await start())).toMatchObject({ total: 0, state: 'finished' });
  });

  test('is followed as events, and told as the text that operators know', async () => {
    await purchases(3, ['de1']);
    const jobId = await start();
    const url = `${admin.url}/admin/update_configs/jobs/${jobId}`;
    const events = await (await fetch(`${url}/events`, { headers: HEADERS })).text();
    expect(events).toMatch(/^retry: 1000\n\n/);
    expect(events).toMatch(/event: done\ndata: \{.*"ok":3/);
    const plain = { ...HEADERS, accept: 'text/plain' };
    expect(await (await fetch(url, { headers: plain })).text()).toContain('• ✅ Успешно: 3 ссылок');
    const english = await (await fetch(`${url}?lang=en`, { headers: plain })).text();
    expect(english).toContain('• ✅ Successful: 3 links');
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url.slice(0, -3), { headers: HEADERS })).status).toBe(404);
  });
});

describe('the report', () => {
  const none = { ok: 0, partial: 0, failed: 0, connectionErrors: 0, cancelled: 0, total: 0 };

  test('is the operators’ text, letter by letter', () => {
    const twelve = { ...none, ok: 12, total: 12 };
    expect(reportText(twelve, 'ru')).toBe(
      [
        '🔄 Обновление ссылок Subscription',
        '',
        '📊 Результаты:',
        '• ✅ Успешно: 12 ссылок',
        '• ❌ Неудачно: 0 ссылок',
        '• 📡 Ошибка соединения: 0 ссылок',
        '• 📈 Всего: 12 ссылок',
        '',
        '🎉 Некоторые ссылки успешно обновлены.',
      ].join('\n'),
    );
    expect(reportText(twelve, 'en')).toBe(
      [
        '🔄 Updating Subscription links',
        '',
        '📊 Results:',
        '• ✅ Successful: 12 links',
        '• ❌ Failed: 0 links',
        '• 📡 Connection errors: 0 links',
        '• 📈 Total: 12 links',
        '',
        '🎉 Some links have been updated.',
      ].join('\n'),
    );
  });

  test('says so when nothing could be reached, and when nothing was done', () => {
    const unreachable = reportText({ ...none, connectionErrors: 5, total: 5 }, 'ru');
    expect(unreachable).toMatch(
      /⚠️ Проблема: webhook server недоступен\.\nПожалуйста, убедитесь, что webhook server запущен\.$/,
    );
    expect(reportText({ ...none, connectionErrors: 5, total: 5 }, 'en')).toMatch(
      /⚠️ Problem: the webhook server cannot be reached\.\nPlease make sure that the webhook server is running\.$/,
    );
    expect(reportText({ ...none, failed: 5, total: 5 }, 'ru')).not.toContain('🎉');
    expect(reportText({ ...none, ok: 1, partial: 2, total: 3 }, 'ru')).toContain('Частично: 2');
  });
});
