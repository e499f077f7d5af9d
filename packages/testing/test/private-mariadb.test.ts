import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { isFree } from '@kopeck/testing/ports';
import {
  startMariadb,
  type MariadbOptions,
  type PrivateMariadb,
} from '@kopeck/testing/private-mariadb';

const template = inject('mariadbTemplate');
let dir: string;
let running: PrivateMariadb[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-mariadb-'));
  running = [];
});

afterEach(async () => {
  for (const mariadb of running) await mariadb.stop();
  await rm(dir, { recursive: true });
});

async function start(options: Partial<MariadbOptions> = {}): Promise<PrivateMariadb> {
  const mariadb = await startMariadb({ dir, template, ...options });
  running.push(mariadb);
  return mariadb;
}

async function run(rootUrl: string, sql: string): Promise<unknown> {
  const connection = await mysql.createConnection({ uri: rootUrl, connectTimeout: 1_000 });
  try {
    const [rows] = await connection.query({ sql, rowsAsArray: true });
    return rows;
  } finally {
    await connection.end();
  }
}

test('initialises an empty folder without a template, also one with a space in its path', async () => {
  const mariadb = await startMariadb({ dir: join(dir, 'with a space') });
  running.push(mariadb);
  expect(await run(mariadb.rootUrl, 'SELECT 1')).toEqual([[1]]);
});

test('has the settings that the ledger relies on', async () => {
  const { rootUrl } = await start();
  const settings = `SELECT @@innodb_flush_log_at_trx_commit, @@log_bin_trust_function_creators,
    @@character_set_server, @@bind_address`;
  expect(await run(rootUrl, settings)).toEqual([[1, 1, 'utf8mb4', '127.0.0.1']]);
});

test('lets nobody in without the password', async () => {
  const { port } = await start({ rootPassword: `it's "se\\cret"@/ ` });
  await expect(run(`mysql://root@127.0.0.1:${port}/`, 'SELECT 1')).rejects.toThrow('Access denied');
});

test('keeps its data over stop, restart and a second start with another password', async () => {
  const first = await start({ rootPassword: 'one' });
  await run(first.rootUrl, 'CREATE DATABASE kept');
  await first.restart();
  expect(await run(first.rootUrl, "SHOW DATABASES LIKE 'kept'")).toEqual([['kept']]);
  await first.stop();

  const second = await start({ rootPassword: 'two' });
  expect(await run(second.rootUrl, "SHOW DATABASES LIKE 'kept'")).toEqual([['kept']]);
});

test('keeps what was committed when it is killed', async () => {
  const mariadb = await start();
  await run(mariadb.rootUrl, 'CREATE DATABASE d');
  await run(mariadb.rootUrl, 'CREATE TABLE d.t (n INT)');
  await run(mariadb.rootUrl, 'INSERT INTO d.t VALUES (1), (2)');
  await mariadb.kill();
  expect(mariadb.pid).toBeUndefined();

  await mariadb.restart();
  expect(await run(mariadb.rootUrl, 'SELECT n FROM d.t')).toEqual([[1], [2]]);
});

test('frees its port when it stops, and may be stopped twice', async () => {
  const mariadb = await start();
  expect(await isFree(mariadb.port)).toBe(false);
  await mariadb.stop();
  await mariadb.stop();
  expect(await isFree(mariadb.port)).toBe(true);
});

test('stops also while it is paused', async () => {
  const mariadb = await start();
  await mariadb.pause();
  await mariadb.stop();
  expect(mariadb.pid).toBeUndefined();
});

test('says why it cannot start', async () => {
  const { port } = await start();
  const second = startMariadb({ dir: join(dir, 'second'), template, port });
  await expect(second).rejects.toThrow(`waited 3000 ms for port ${port} of 127.0.0.1, for MariaDB`);

  const third = startMariadb({ dir: join(dir, 'third'), template, extraArgs: ['--no-such-thing'] });
  await expect(third).rejects.toThrow(/MariaDB did not start:[^]*unknown option '--no-such-thing'/);
});

test('keeps the root password from other users of the machine', async () => {
  const { pid } = await start({ rootPassword: 'topsecret' });
  expect((await stat(join(dir, 'root-user.sql'))).mode & 0o777).toBe(0o600);
  if (process.platform === 'linux') {
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('topsecret');
  }
});
