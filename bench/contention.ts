import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { QUEUES, type KopeckEvent, type QueueName } from '@kopeck/core/event';
import { openQueue } from '@kopeck/runtime/queue';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import { audit } from '../services/ledger/src/audit/audit.ts';
import { openBooks, type Books } from '../services/ledger/test/books.ts';
import { contended, shuffled } from '../services/ledger/test/contended.ts';
import { modelBalances } from '../services/ledger/test/model.ts';
import { startProcess, type ServiceProcess } from '../test/rig/service-process.ts';

// Two ledgers on one queue, for as long as it is told: one of them killed each second, bookings deadlocked,
// MariaDB killed in the middle, with snapshot isolation and without. `npm run contention -- [--seconds 20]`

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
const SECONDS = Number(values.seconds);
const EVENTS_A_SECOND = 300;
const PREFIX = '{contention}';
const CASHBACK = 10;

interface Arena {
  readonly mariadb: PrivateMariadb;
  readonly redisUrl: string;
  readonly books: Books;
  readonly events: readonly KopeckEvent[];
}

interface Tally {
  kills: number;
  deadlocks: number;
}

async function main(): Promise<void> {
  for (const isolation of ['OFF', 'ON']) {
    const dir = await mkdtemp(join(tmpdir(), 'kopeck-contention-'));
    const mariadb = await startMariadb({
      dir: join(dir, 'mariadb'),
      extraArgs: [`--innodb-snapshot-isolation=${isolation}`],
    });
    const redis = await startRedis({ dir: join(dir, 'redis'), password: 'contention' });
    const books = await openBooks(mariadb.rootUrl);
    try {
      const events = contended(SECONDS * EVENTS_A_SECOND);
      const tally = await fight({ mariadb, redisUrl: redis.url, books, events });
      console.log(`snapshot isolation ${isolation}: ${JSON.stringify(tally)}`);
      await judge(books, events, await failedJobs(redis.url));
    } finally {
      await books.close();
      await Promise.all([mariadb.stop(), redis.stop()]);
      await rm(dir, { recursive: true });
    }
  }
}

/** Returns when everything is booked. */
async function fight(arena: Arena): Promise<Tally> {
  const { books, events } = arena;
  const tally: Tally = { kills: 0, deadlocks: 0 };
  const over = new AbortController();
  const faults = [killing(arena, tally, over.signal), deadlocking(arena, tally, over.signal)];
  const restarting = delay(SECONDS * 500).then(async () => {
    await arena.mariadb.kill();
    await arena.mariadb.restart();
  });
  await feed(arena);
  await restarting;
  while ((await bookedIn(books)) < events.length) await delay(200);
  over.abort();
  await Promise.all(faults);
  return tally;
}

async function bookedIn({ query }: Books): Promise<number> {
  return Number((await query('SELECT COUNT(*) AS n FROM inbox'))[0]?.['n']);
}

/** Every event twice, in two orders, evenly over the time. */
async function feed({ redisUrl, events }: Arena): Promise<void> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const twice = [...shuffled(events, 1), ...shuffled(events, 2)];
  const names = Object.keys(QUEUES) as QueueName[];
  const queues = names.map((name) => ({ name, queue: openQueue(name, redis, PREFIX) }));
  const portion = Math.ceil(twice.length / (SECONDS * 10));
  for (let at = 0; at < twice.length; at += portion) {
    const some = twice.slice(at, at + portion);
    for (const { name, queue } of queues) {
      const known: readonly string[] = QUEUES[name];
      await queue.publish(some.filter(({ source }) => known.includes(source)));
    }
    await delay(100);
  }
  for (const { queue } of queues) await queue.close();
  redis.disconnect();
}

/** Two ledgers; each second one of them dies, and is started again at once. */
async function killing(
  { books, redisUrl }: Arena,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const start = (): Promise<ServiceProcess> => startProcess('ledger', environment(books, redisUrl));
  const ledgers = await Promise.all([start(), start()]);
  for (let turn = 0; !signal.aborted; turn += 1) {
    await delay(1_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const index = turn % ledgers.length;
    await ledgers[index]?.kill();
    tally.kills += 1;
    ledgers[index] = await start();
  }
  await Promise.all(ledgers.map((ledger) => ledger.stop()));
}

function environment({ url }: Books, redisUrl: string): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    LEDGER_PORT: '0',
    LEDGER_METRICS_PORT: '0',
    LEDGER_API_TOKEN: 'a-token-that-reads-the-whole-ledger-0001',
    LEDGER_LOCK_MS: '1000',
    LEDGER_STALLED_MS: '500',
    DATABASE_URL: url,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: PREFIX,
    NDN_PER_STAR: '10',
    PLANS: '{}',
    EPN_CASHBACK_PERCENT: String(CASHBACK),
    REPORT_HOUR: 'off',
    LOG_LEVEL: 'info',
  };
}

/** Locks what bookings write, and then the head: the other way about. */
async function deadlocking({ books }: Arena, tally: Tally, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const other = await createConnection(books.url);
      other.on('error', () => undefined);
      await other.beginTransaction();
      await other.query('SELECT * FROM balances FOR UPDATE');
      await delay(10);
      await other.query('SELECT * FROM chain_head FOR UPDATE');
      await other.end();
      const [row] = await books.query("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
      tally.deadlocks = Math.max(tally.deadlocks, Number((row as RowDataPacket)['Value']));
    } catch {
      // It was the victim, or MariaDB is away.
    }
    await delay(100);
  }
}

async function failedJobs(redisUrl: string): Promise<number> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  let failed = 0;
  for (const name of Object.keys(QUEUES)) {
    const queue = new Queue(name, { connection, prefix: PREFIX });
    failed += await queue.getFailedCount();
    await queue.close();
  }
  connection.disconnect();
  return failed;
}

async function judge(books: Books, events: readonly KopeckEvent[], failed: number): Promise<void> {
  const found = [...(await books.balances())].toSorted().join('\n');
  const expected = modelBalances(events, CASHBACK).join('\n');
  const { head, problem } = await audit(books.pool);
  const isRight =
    found === expected && problem === null && head.seq === BigInt(events.length) && failed === 0;
  console.log(
    `${events.length} events, booked ${head.seq}, given up ${failed}, ` +
      `audit ${problem === null ? 'whole' : JSON.stringify(problem)}, ` +
      `books ${found === expected ? 'equal to the list' : `DIFFERENT:\n${found}\nwanted:\n${expected}`}`,
  );
  if (!isRight) process.exitCode = 1;
}

await main();
