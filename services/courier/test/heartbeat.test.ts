import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Pool } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { openDatabase } from '@kopeck/runtime/database';
import { openImpatientDatabase, type ImpatientDatabase } from '@kopeck/runtime/impatient-database';
import type { Log } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { migrate } from '@kopeck/runtime/migrate';
import { createTestDatabase } from '@kopeck/testing/test-database';
import { createHeartbeat } from '../src/heartbeat.ts';

const PATH = '/ping/6e0f2a74-canary-of-the-test';
const STARTED = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;

let clock: number;
let status: number;
let pings: string[];
let lines: string[];
let url: string;
let pool: Pool;
let impatient: ImpatientDatabase;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
const monitor = createServer((request, response) => {
  pings.push(`${request.method} ${request.url}`);
  response.writeHead(status).end('OK');
});

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  pool = openDatabase(database.url, { connections: 1 });
  impatient = openImpatientDatabase(database.url, 10_000);
  monitor.listen(0, '127.0.0.1');
  await once(monitor, 'listening');
  url = `http://127.0.0.1:${(monitor.address() as AddressInfo).port}${PATH}`;
});
beforeEach(async () => {
  clock = STARTED;
  status = 200;
  pings = [];
  lines = [];
  await pool.query('DELETE FROM heartbeat');
});
afterAll(async () => {
  monitor.close();
  impatient.close();
  await pool.end();
  await database.drop();
});

async function booked(sentAt: number): Promise<void> {
  await pool.query('REPLACE INTO heartbeat VALUES (1, ?)', [new Date(sentAt)]);
}

function open(target = url): () => Promise<void> {
  const write = (message: string, meta: object = {}): void =>
    void lines.push(`${message} ${JSON.stringify(meta)}`);
  const log: Log = { error: write, warn: write, info: write, debug: write };
  const now = (): Date => new Date(clock);
  const metrics = createMetrics('courier');
  return createHeartbeat({
    database: impatient,
    url: target,
    youngMs: 5 * MINUTE,
    log,
    metrics,
    now,
  });
}

test('each canary is told once, and without one there is nothing to tell', async () => {
  const look = open();
  await look();
  expect(pings).toEqual([]);
  await booked(STARTED);
  await look();
  await look();
  expect(pings).toEqual([`GET ${PATH}`]);
  clock += 5 * MINUTE;
  await booked(clock);
  await look();
  expect(pings).toHaveLength(2);
});

test('a canary that was stuck on its way for as long as the next one takes is never told', async () => {
  const look = open();
  await booked(STARTED);
  clock += 5 * MINUTE;
  await look();
  expect(pings).toEqual([]);
  clock -= 1;
  await look();
  expect(pings).toHaveLength(1);
});

test('a canary from the future is not told: the clock was set back, and nobody knows how old it is', async () => {
  await booked(STARTED + 5 * MINUTE);
  await open()();
  expect(pings).toEqual([]);
});

test('a monitor that refuses is asked again every ten seconds while the canary is young, in one line of the log', async () => {
  const look = open();
  await booked(STARTED);
  status = 500;
  for (; clock < STARTED + 10 * MINUTE; clock += 5_000) await look();
  expect(pings).toHaveLength(30);
  expect(lines).toEqual([`a heartbeat failed {"host":"${new URL(url).host}","error":"HTTP 500"}`]);

  await booked(clock);
  status = 200;
  await look();
  expect(lines.at(-1)).toContain('get through again');
});

test('a monitor that is away leaves its host in the log, and nothing of its path', async () => {
  await booked(STARTED);
  await open(`http://127.0.0.1:9${PATH}`)();
  await open(`http://127.0.0.1:1${PATH}`)();
  expect(lines).toHaveLength(2);
  expect(lines.join()).toContain('127.0.0.1:9');
  expect(lines.join()).not.toContain('canary-of-the-test');
});
