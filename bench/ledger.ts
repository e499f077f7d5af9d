import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import type { RowDataPacket } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import {
  doNothing,
  drain,
  ledger,
  onePerTransaction,
  type Bench,
  type Drained,
} from './ledger-drain.ts';
import { numberOf } from '../test/rig/number-option.ts';
import { filledBooks, readIndexes } from './fill-books.ts';
import { mariadbSettings } from './mariadb-settings.ts';
import { record, type Measurement } from './result.ts';

// How fast the ledger drains a full queue, beside a worker that does nothing and beside one transaction
// per event, with the database of deploy/mariadb: `npm run bench:ledger -- [--events 10000] [--rounds 3]
// [--rows 1000000] [--cache 3G] [--dir FOLDER]`. Each figure is the median of its rounds, which take turns,
// so that whatever else the machine does meets all of them. With --rows it ends with the ledger's own figure
// on tables that hold so many events, which a named folder keeps for the next run; --cache is another size of
// MariaDB's cache than that of deploy/mariadb.

const { values } = parseArgs({
  options: {
    events: { type: 'string' },
    rounds: { type: 'string' },
    rows: { type: 'string' },
    cache: { type: 'string' },
    dir: { type: 'string' },
  },
});
const EVENTS = numberOf('events', values.events ?? '10000');
const ROUNDS = numberOf('rounds', values.rounds ?? '3');
const ROWS = numberOf('rows', values.rows ?? '0');
const WARM_UP = 5_000;
/** Tables that are kept must not know the events of the run before. */
const RUN = randomUUID();

const SETTINGS = mariadbSettings(values.cache);

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-bench-'));
  const server = await startRedis({ dir: join(dir, 'redis'), password: 'bench' });
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  try {
    const around = { dir, redis, pids: [process.pid, server.pid] };
    const booked = await withBooks(around, 0, compare);
    if (ROWS > 0) {
      const full = await withBooks(around, ROWS, alone);
      const what = `booked with ${ROWS} events in the tables already (aim 0.9)`;
      tell(what, full, { what: 'with none', value: booked });
    }
  } finally {
    redis.disconnect();
    await server.stop();
    await rm(dir, { recursive: true });
  }
}

interface Books extends Bench {
  readonly status: () => Promise<Status>;
}

interface Around {
  readonly dir: string;
  readonly redis: Redis;
  readonly pids: Bench['pids'];
}

async function withBooks(
  around: Around,
  rows: number,
  work: (books: Books) => Promise<number>,
): Promise<number> {
  const { redis, pids } = around;
  const dir = (rows > 0 && values.dir) || join(around.dir, `rows-${rows}`);
  const { url, port, rootPassword } = await filledBooks(dir, rows);
  const mariadb = await startMariadb({ dir, port, rootPassword, extraArgs: SETTINGS });
  const pool = openDatabase(url, { connections: 2 });
  const root = openDatabase(mariadb.rootUrl, { connections: 1 });
  try {
    const books = { pool, redis, pids: [...pids, mariadb.pid], status: () => statusOf(root) };
    if (rows > 0) await readIndexes(pool);
    await drain(books, `warm-up-${RUN}-${rows}`, WARM_UP, ledger);
    return await work(books);
  } finally {
    await Promise.all([pool.end(), root.end()]);
    await mariadb.stop();
  }
}

async function compare(books: Books): Promise<number> {
  const nothing: Drained[] = [];
  const booked: Drained[] = [];
  const single: Drained[] = [];
  const written: Status[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    nothing.push(await drain(books, `nothing-${round}`, EVENTS, doNothing));
    const before = await books.status();
    booked.push(await drain(books, `ledger-${round}`, EVENTS, ledger));
    written.push(difference(await books.status(), before));
    single.push(await drain(books, `single-${round}`, Math.ceil(EVENTS / 10), onePerTransaction));
  }
  const figure = rateOf(booked);
  tell('booked (aim 0.65)', figure, { what: 'worker that does nothing', value: rateOf(nothing) });
  tell('booked (aim 4)', figure, { what: 'one transaction an event', value: rateOf(single) });
  say('fsyncs per event', median(written.map(({ fsyncs }) => fsyncs)) / EVENTS, '');
  say('bytes of logs per event', median(written.map(({ bytes }) => bytes)) / EVENTS, '');
  sayCpu('a worker that does nothing', nothing);
  sayCpu('the ledger', booked);
  return figure;
}

async function alone(books: Books): Promise<number> {
  const booked: Drained[] = [];
  for (let round = 1; round <= ROUNDS; round += 1)
    booked.push(await drain(books, `full-${RUN}-${round}`, EVENTS, ledger));
  sayCpu('the ledger on full tables', booked);
  return rateOf(booked);
}

function rateOf(drained: readonly Drained[]): number {
  return median(drained.map(({ rate }) => rate));
}

/** What bounds it: the same two processors do all of this. */
function sayCpu(who: string, drained: readonly Drained[]): void {
  const [node = 0, redis = 0, mariadb = 0] = [0, 1, 2].map((index) =>
    median(drained.map(({ cpu }) => cpu[index] ?? 0)),
  );
  const figures = [node, redis, mariadb].map((figure) => Math.round(figure));
  console.log(
    `µs of CPU an event, ${who}: Node ${figures[0]}, Redis ${figures[1]}, MariaDB ${figures[2]}`,
  );
}

/** What MariaDB has synced, and has written into its redo log and its binary log. */
interface Status {
  readonly fsyncs: number;
  readonly bytes: number;
}

async function statusOf(root: Bench['pool']): Promise<Status> {
  const [rows] = await root.query<RowDataPacket[]>('SHOW GLOBAL STATUS');
  const figures = new Map(rows.map((row) => [row['Variable_name'], Number(row['Value'])]));
  const value = (name: string): number => figures.get(name) ?? 0;
  // The binary log is synced once a group of commits.
  const binlogSyncs = value('Binlog_group_commits');
  return {
    fsyncs: value('Innodb_os_log_fsyncs') + value('Innodb_data_fsyncs') + binlogSyncs,
    bytes: value('Innodb_os_log_written') + value('Binlog_bytes_written'),
  };
}

function difference(after: Status, before: Status): Status {
  return { fsyncs: after.fsyncs - before.fsyncs, bytes: after.bytes - before.bytes };
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;
}

function tell(what: string, value: number, baseline: Measurement['baseline']): void {
  record({ bench: 'ledger', what, value, unit: 'events/s', ...(baseline && { baseline }) });
}

function say(what: string, figure: number, unit: string): void {
  const text = figure < 100 ? figure.toFixed(3) : String(Math.round(figure));
  console.log(`${what.padEnd(44)} ${text.padStart(9)} ${unit}`);
}

await main();
