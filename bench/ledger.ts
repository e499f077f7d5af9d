import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { decodeEvent } from '@kopeck/core/event-schema';
import { openDatabase } from '@kopeck/runtime/database';
import { noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { migrate } from '@kopeck/runtime/migrate';
import { openQueue, openWorker } from '@kopeck/runtime/queue';
import { paymentEvent } from '@kopeck/testing/build-event';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import { createTestDatabase } from '@kopeck/testing/test-database';
import { createBatcher } from '../services/ledger/src/batcher.ts';
import { bookBatch, bookOrBisect, type BookDeps } from '../services/ledger/src/book.ts';
import { inputsFor } from '../services/ledger/src/inputs.ts';
import { startWorkers } from '../services/ledger/src/workers.ts';

// How fast the ledger drains a full queue, beside a worker that does nothing and beside one transaction
// per event, in one run: `npm run bench:ledger -- [--events 20000] [--rows 1000000]`.

const { values } = parseArgs({
  options: { events: { type: 'string' }, rows: { type: 'string' } },
});
const EVENTS = Number(values.events ?? 20_000);
const ROWS = Number(values.rows ?? 0);
const QUEUE = 'events-crypto';
const CONCURRENCY = 200;
const PREFILL = 1_000;
const RATES = { NDN_PER_STAR: '10', PLANS: '{}', EPN_CASHBACK_PERCENT: '0' };

/** A payment in Stars as Telegram tells it: four postings, and evidence of a usual size. */
function star(run: string, index: number): KopeckEvent {
  const event = paymentEvent('payment.paid', {
    source: 'telegram',
    paymentId: `${run}-${index}`,
    paid: { asset: 'XTR', amount: '150' },
    reference: `{"telegram_id":${1 + (index % 5_000)},"amount_ndn":1500}`,
  });
  const body = Buffer.from(JSON.stringify({ run, index, update: 'x'.repeat(600) }));
  return { ...event, evidence: JSON.stringify({ body: body.toString('base64') }) };
}

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-bench-'));
  const mariadb = await startMariadb({ dir: join(dir, 'mariadb') });
  const server = await startRedis({ dir: join(dir, 'redis'), password: 'bench' });
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  const database = await createTestDatabase(mariadb.rootUrl);
  await migrate(database.url);
  const pool = openDatabase(database.url, { connections: 2 });
  const root = openDatabase(mariadb.rootUrl, { connections: 1 });
  try {
    await measure({ pool, root, redis });
  } finally {
    await Promise.all([pool.end(), root.end()]);
    redis.disconnect();
    await Promise.all([mariadb.stop(), server.stop()]);
    await rm(dir, { recursive: true });
  }
}

interface Bench {
  readonly pool: Pool;
  readonly root: Pool;
  readonly redis: Redis;
}

async function measure(bench: Bench): Promise<void> {
  await drain(bench, 'warm-up', Math.min(EVENTS, 2_000), ledger);
  const nothing = await drain(bench, 'nothing', EVENTS, doNothing);
  const before = await status(bench.root);
  const booked = await drain(bench, 'ledger', EVENTS, ledger);
  const after = await status(bench.root);
  const single = await drain(bench, 'single', Math.ceil(EVENTS / 10), onePerTransaction);

  say('events booked', booked, 'events/s');
  say('a worker that does nothing', nothing, 'events/s');
  say('one transaction per event', single, 'events/s');
  say('ratio to the worker that does nothing', booked / nothing, '(aim: 0.65)');
  say('ratio to one transaction per event', booked / single, '(aim: 4)');
  say('fsyncs per event', (after.fsyncs - before.fsyncs) / EVENTS, '');
  say('bytes of redo log per event', (after.bytes - before.bytes) / EVENTS, '');
  if (ROWS === 0) return;

  await fill(bench, ROWS);
  const full = await drain(bench, 'full', EVENTS, ledger);
  say(`events booked with ${ROWS} in the tables`, full, 'events/s');
  say('ratio to its own figure above', full / booked, '(aim: 0.9)');
}

type Start = (bench: Bench, prefix: string, done: () => void) => () => Promise<void>;

/** Fills the queue first, then measures from the start of the workers to the last commit. */
async function drain(bench: Bench, run: string, count: number, start: Start): Promise<number> {
  const prefix = `{bench-${run}}`;
  const queue = openQueue(QUEUE, bench.redis, prefix);
  for (let at = 0; at < count; at += PREFILL) {
    const size = Math.min(PREFILL, count - at);
    await queue.publish(Array.from({ length: size }, (_, index) => star(run, at + index)));
  }
  let left = count;
  const last = new AbortController();
  const gone = once(last.signal, 'abort');
  const began = performance.now();
  const close = start(bench, prefix, () => {
    left -= 1;
    if (left === 0) last.abort();
  });
  await gone;
  const seconds = (performance.now() - began) / 1_000;
  await close();
  await queue.close();
  return count / seconds;
}

const doNothing: Start = ({ redis }, prefix, done) => {
  const options = { redis, prefix, concurrency: CONCURRENCY, lockMs: 10_000, stalledMs: 5_000 };
  const worker = openWorker(QUEUE, async () => done(), options, noLog);
  return () => worker.close();
};

const ledger: Start = ({ pool, redis }, prefix, done) => {
  const stopping = new AbortController();
  const booking = createBatcher({
    book: (events) => bookOrBisect(depsOf(pool), events),
    log: noLog,
    signal: stopping.signal,
  });
  const batcher: typeof booking = {
    ...booking,
    add: async (event) => {
      const verdict = await booking.add(event);
      done();
      return verdict;
    },
  };
  const metrics = createMetrics('ledger');
  const now = (): Date => new Date();
  const times = { lockMs: 10_000, stalledMs: 5_000 };
  return startWorkers({ redis, prefix, ...times, batcher, log: noLog, metrics, now });
};

const onePerTransaction: Start = ({ pool, redis }, prefix, done) => {
  const options = { redis, prefix, concurrency: CONCURRENCY, lockMs: 10_000, stalledMs: 5_000 };
  const book = async (data: unknown): Promise<void> => {
    await bookBatch(depsOf(pool), [decodeEvent(QUEUE, data)]);
    done();
  };
  const worker = openWorker<unknown>(QUEUE, book, options, noLog);
  return () => worker.close();
};

function depsOf(pool: Pool): BookDeps {
  return { pool, inputsFor: (event) => inputsFor(RATES, event), now: () => new Date() };
}

/** Straight into the tables, by the very recipe. */
async function fill({ pool }: Bench, rows: number): Promise<void> {
  for (let at = 0; at < rows; at += CONCURRENCY) {
    await bookBatch(
      depsOf(pool),
      Array.from({ length: CONCURRENCY }, (_, index) => star('fill', at + index)),
    );
    if (at % 100_000 === 0) console.log(`filling: ${at} of ${rows}`);
  }
}

async function status(root: Pool): Promise<{ fsyncs: number; bytes: number }> {
  const [rows] = await root.query<RowDataPacket[]>(
    `SHOW GLOBAL STATUS WHERE Variable_name IN
      ('Innodb_os_log_fsyncs', 'Innodb_data_fsyncs', 'Innodb_os_log_written')`,
  );
  const value = (name: string): number =>
    Number(rows.find((row) => row['Variable_name'] === name)?.['Value'] ?? 0);
  return {
    fsyncs: value('Innodb_os_log_fsyncs') + value('Innodb_data_fsyncs'),
    bytes: value('Innodb_os_log_written'),
  };
}

function say(what: string, figure: number, unit: string): void {
  const text = figure < 100 ? figure.toFixed(3) : String(Math.round(figure));
  console.log(`${what.padEnd(44)} ${text.padStart(9)} ${unit}`);
}

await main();
