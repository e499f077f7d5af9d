import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import type { Progress } from '../src/bulk/progress.ts';
import { uuidOf } from '../src/bulk/uuid.ts';
import { seedPurchase } from '../src/seed.ts';
import { KEY, runAdmin, type RunningAdmin } from './running-admin.ts';

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

type Child = ChildProcessByStdio<null, Readable, null>;

/** A process of its own, with what the service has for its environment. */
function run(file: string, args: readonly string[] = [], env: Record<string, string> = {}): Child {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  return spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    env: { PATH, NODE_COMPILE_CACHE, ...admin.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function firstLine(child: Child): Promise<string> {
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return line.toString().trim();
}

async function kill(child: Child): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function purchases(from: number, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_none, index) => String(from + index));
  for (const [index, id] of ids.entries()) {
    const server = index % 2 === 0 ? 'de1' : 'nl2';
    await seedPurchase(admin.pool, { id, servers: [{ serverId: server, externalId: id }] });
    const links = [`vless://${id}@${server}.vpn-fixture.test:443?type=tcp#r`];
    await admin.subscribe({ server, externalId: id, links });
  }
  return ids;
}

const headers = { authorization: `Bearer ${KEY}` };

async function progressOf(url: string, jobId: string): Promise<Progress> {
  const response = await fetch(`${url}/admin/update_configs/jobs/${jobId}`, { headers });
  return (await response.json()) as Progress;
}

test('a bulk whose process is killed in the middle is ended by another one, no purchase twice', async () => {
  const ids = await purchases(1, 40);
  await admin.stopService();
  for (const server of ['de1', 'nl2']) await admin.fault(server, 'slow', { ms: 150 });
  const child = run('children/admin.ts');
  const url = await firstLine(child);
  const response = await fetch(`${url}/admin/update_configs`, { method: 'POST', headers });
  const { jobId } = (await response.json()) as { jobId: string };
  await waitFor(async () => (await progressOf(url, jobId)).done >= 10, { everyMs: 5 });
  await kill(child);
  const [rows] = await admin.pool.query<RowDataPacket[]>(
    'SELECT purchase_id, outcome FROM refresh_job_items WHERE job_id = ? AND outcome IS NOT NULL',
    [jobId],
  );
  const before = rows.map((row) => String(row['purchase_id']));
  expect(before.length).toBeLessThan(40);

  await admin.startService();
  const progress = await waitFor(async () => {
    const seen = await progressOf(admin.url, jobId);
    return seen.state === 'finished' && seen;
  });
  expect(progress).toMatchObject({ total: 40, done: 40, ok: 40, failed: 0, unchanged: 0 });

  const asked = Map.groupBy(await admin.asked(), ({ externalId }) => externalId);
  for (const id of before) expect(asked.get(id)).toHaveLength(1);
  const events = await waitFor(async () => {
    const all = await admin.queued();
    return all.length >= 40 && all;
  });
  expect(events.map(({ subject }) => subject).sort()).toEqual(
    ids.map((id) => `purchase:${id}`).sort(),
  );
  const [versions] = await admin.pool.query<RowDataPacket[]>(
    'SELECT config_version FROM purchases WHERE id IN (?)',
    [ids],
  );
  expect(new Set(versions.map((row) => row['config_version']))).toEqual(new Set([1]));
});

test('a process that dies between keeping links and journaling the event loses no event', async () => {
  const [id = ''] = await purchases(100, 1);
  const operationId = randomUUID();
  const child = run('children/die-before-journal.ts', [id, operationId]);
  expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
  expect(await admin.links(id)).toHaveLength(1);

  const told = await waitFor(async () => {
    const mine = (await admin.queued()).filter(({ subject }) => subject === `purchase:${id}`);
    return mine.length > 0 && mine;
  });
  expect(told).toMatchObject([{ data: { operationId, result: 'updated' } }]);
  await waitFor(async () => {
    const [left] = await admin.pool.query<RowDataPacket[]>('SELECT id FROM refresh_events');
    return left.length === 0;
  });
});

test('a key is replaced by writing its file and SIGHUP, while the process runs', async () => {
  const [old, next] = [
    'old-key-of-a-file-0123456789abcdefghi',
    'new-key-of-a-file-0123456789abcde',
  ];
  const file = join(admin.journalDir, 'key');
  await writeFile(file, old);
  const child = run('../main.ts', [], { ADMIN_API_KEY: '', ADMIN_API_KEY_FILE: file });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => void (log += chunk.toString()));
  try {
    const url = await waitFor(() => /"url":"(http[^"]+)"/.exec(log)?.[1]);
    const withKey = async (key: string): Promise<number> => {
      const authorization = `Bearer ${key}`;
      return (await fetch(`${url}/admin/servers`, { headers: { authorization } })).status;
    };
    expect([await withKey(old), await withKey(next)]).toEqual([200, 401]);
    await writeFile(file, `${next},${old}`);
    child.kill('SIGHUP');
    await waitFor(async () => (await withKey(next)) === 200);
    expect(await withKey(old)).toBe(200);
    await writeFile(file, next);
    child.kill('SIGHUP');
    await waitFor(async () => (await withKey(old)) === 401);
    await writeFile(file, 'short');
    child.kill('SIGHUP');
    await waitFor(() => log.includes('stay as they were'));
    expect(await withKey(next)).toBe(200);
    for (const key of [old, next]) expect(log).not.toContain(key);
  } finally {
    await kill(child);
  }
});

test('the clock starts one refresh of all each time, however many copies run', async () => {
  const own = await createTestDatabase(inject('mariadbRootUrl'));
  const places = { redisUrl: inject('redisUrl'), databaseUrl: own.url };
  const two = await runAdmin(places, { ADMIN_REFRESH_CRON: '* * * * * *' });
  await two.startService();
  const jobs = await waitFor(async () => {
    const [rows] = await two.pool.query<RowDataPacket[]>(
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
  await two.close();
  await own.drop();
});
