import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { migrate } from '@kopeck/runtime/migrate';
import { freePort } from '@kopeck/testing/ports';
import { createMariadbTemplate, startMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import { SECRETS } from '../test/rig/secrets.ts';
import { startProcess } from '../test/rig/service-process.ts';
import { record } from './result.ts';

/**
 * `npm run bench:latency`: from the HTTP request of a payment in Stars to the committed balance of its
 * user, through the journal, Redis, the ledger and MariaDB, each in a process of its own. Requests
 * come at a fixed rate, whatever the answers do. The baseline is one committed row on the same disk.
 */
const RATES = [50, 200];
const SECONDS = 10;
const LOOK_MS = 5;

const dir = await mkdtemp(join(tmpdir(), 'kopeck-bench-'));
const template = join(dir, 'template');
await createMariadbTemplate(template);
const mariadb = await startMariadb({ dir: join(dir, 'mariadb'), template });
const redis = await startRedis({ dir: join(dir, 'redis'), password: 'bench' });
const database = await createConnection(mariadb.rootUrl);
await database.query('CREATE DATABASE kopeck');
await database.query('USE kopeck');
const DATABASE_URL = `${mariadb.rootUrl}kopeck`;
await migrate(DATABASE_URL);

const common = { ...SECRETS, REDIS_URL: redis.url, DATABASE_URL };
const port = await freePort();
const services = await startServices();
const url = `http://127.0.0.1:${port}`;

try {
  const baseline = await baselineOf(database);
  for (const rate of RATES) {
    const { answered, committed } = await measure(rate);
    tell(`the answer at ${rate}/s`, answered, baseline);
    tell(`the committed balance at ${rate}/s`, committed, baseline);
  }
} finally {
  for (const service of services) await service.stop();
  await database.end();
  await Promise.all([redis.stop(), mariadb.stop()]);
  await rm(dir, { recursive: true, force: true });
}

async function startServices() {
  const crypto = startProcess('crypto', {
    ...common,
    CRYPTO_PORT: String(port),
    CRYPTO_METRICS_PORT: String(await freePort()),
    JOURNAL_DIR: join(dir, 'journal'),
  });
  const ledger = startProcess('ledger', {
    ...common,
    LEDGER_PORT: String(await freePort()),
    LEDGER_METRICS_PORT: String(await freePort()),
  });
  return Promise.all([crypto, ledger]);
}

async function measure(rate: number): Promise<{ answered: number[]; committed: number[] }> {
  const count = rate * SECONDS;
  const answered: number[] = [];
  const committed: number[] = [];
  const sentAt = new Map<string, number>();
  const looking = watch(sentAt, committed, count);
  const start = performance.now();
  const requests: Promise<void>[] = [];
  for (let at = 0; at < count; at += 1) {
    await delay(Math.max(0, start + (at * 1_000) / rate - performance.now()));
    requests.push(pay(sentAt).then((ms) => void answered.push(ms)));
  }
  await Promise.all(requests);
  await looking;
  return { answered, committed };
}

/** Looks at the inbox, which is written in the transaction of the balances, as it is committed. */
async function watch(
  sentAt: ReadonlyMap<string, number>,
  committed: number[],
  count: number,
): Promise<void> {
  let last = await lastSeq();
  const waiting: { charge: string; at: number }[] = [];
  while (committed.length < count) {
    const [rows] = await database.query<RowDataPacket[]>(
      "SELECT seq, JSON_VALUE(data, '$.paymentId') AS charge FROM inbox WHERE seq > ? ORDER BY seq",
      [last],
    );
    const at = performance.now();
    for (const row of rows) waiting.push({ charge: String(row['charge']), at });
    last = String(rows.at(-1)?.['seq'] ?? last);
    for (const { charge, at: seen } of waiting.splice(0)) {
      committed.push(seen - (sentAt.get(charge) ?? seen));
    }
    await delay(LOOK_MS);
  }
}

async function lastSeq(): Promise<string> {
  const [[row]] = await database.query<RowDataPacket[]>(
    'SELECT COALESCE(MAX(seq), 0) AS seq FROM inbox',
  );
  return String(row?.['seq']);
}

/** One user each, so that the balances are rows of their own. Resolves to the milliseconds it took. */
async function pay(sentAt: Map<string, number>): Promise<number> {
  const charge = `stx${randomBytes(60).toString('base64url')}`;
  const user = 5_000_000_000 + sentAt.size;
  const body = JSON.stringify({
    update_id: sentAt.size,
    message: {
      message_id: 1,
      from: { id: user },
      chat: { id: user },
      date: 1_791_206_105,
      successful_payment: {
        currency: 'XTR',
        total_amount: 150,
        invoice_payload: JSON.stringify({ telegram_id: user, amount_ndn: 1500 }),
        telegram_payment_charge_id: charge,
      },
    },
  });
  const start = performance.now();
  sentAt.set(charge, start);
  const response = await fetch(`${url}/webhook/telegram`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-telegram-bot-api-secret-token': SECRETS.TELEGRAM_WEBHOOK_SECRET,
    },
    body,
  });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
  return performance.now() - start;
}

async function baselineOf(connection: Connection): Promise<number[]> {
  await connection.query('CREATE TABLE baseline (id INT PRIMARY KEY) ENGINE=InnoDB');
  const times: number[] = [];
  for (let id = 0; id < 200; id += 1) {
    const start = performance.now();
    await connection.query('INSERT INTO baseline VALUES (?)', [id]);
    times.push(performance.now() - start);
  }
  return times;
}

function tell(what: string, times: readonly number[], baseline: readonly number[]): void {
  record({
    bench: 'latency',
    what,
    value: quantile(times, 0.5),
    unit: 'ms, median',
    more: { 'p99 ms': quantile(times, 0.99) },
    baseline: { what: 'one committed row, ms', value: quantile(baseline, 0.5) },
  });
}

function quantile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
