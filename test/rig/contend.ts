import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { QUEUES, type KopeckEvent, type QueueName } from '@kopeck/core/event';
import { openQueue } from '@kopeck/runtime/queue';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import { audit } from '../../services/ledger/src/audit/audit.ts';
import { openBooks, type Books } from '../../services/ledger/test/books.ts';
import { contended, shuffled } from '../../services/ledger/test/contended.ts';
import { modelBalances } from '../../services/ledger/test/model.ts';
import { startProcess, type ServiceProcess } from './service-process.ts';

const PREFIX = '{contention}';
const CASHBACK = 10;

export interface ContentionOptions {
  readonly isolation: 'OFF' | 'ON';
  /** For so long events come and faults are made; then all of it is booked, however long that takes. */
  readonly seconds: number;
  readonly eventsASecond: number;
  /** A folder made by createMariadbTemplate, where there is one. */
  readonly template?: string;
}

export interface Contention {
  readonly events: number;
  readonly booked: number;
  /** Ledgers that died. */
  readonly kills: number;
  readonly deadlocks: number;
  /** Jobs that nobody will do again. */
  readonly givenUp: number;
  /** What the audit says; 'whole' where nothing is wrong. */
  readonly audit: string;
  /** Against a list that knows none of the ledger's code; 'equal' or both. */
  readonly books: string;
}

interface Arena {
  readonly seconds: number;
  readonly mariadb: PrivateMariadb;
  readonly redisUrl: string;
  readonly books: Books;
  readonly events: readonly KopeckEvent[];
}

interface Tally {
  kills: number;
  deadlocks: number;
}

/**
 * Two ledgers on one queue: one of them killed each second, bookings deadlocked, MariaDB killed in the
 * middle. Every event comes twice, in two orders.
 */
export async function contend(options: ContentionOptions): Promise<Contention> {
  const { isolation, seconds, eventsASecond, template } = options;
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-contention-'));
  const mariadb = await startMariadb({
    dir: join(dir, 'mariadb'),
    ...(template !== undefined && { template }),
    extraArgs: [`--innodb-snapshot-isolation=${isolation}`],
  });
  const redis = await startRedis({ dir: join(dir, 'redis'), password: 'contention' });
  const books = await openBooks(mariadb.rootUrl);
  try {
    const events = contended(seconds * eventsASecond);
    const tally = await fight({ seconds, mariadb, redisUrl: redis.url, books, events });
    return { ...tally, ...(await judged(books, events)), givenUp: await failedJobs(redis.url) };
  } finally {
    await books.close();
    await Promise.all([mariadb.stop(), redis.stop()]);
    await rm(dir, { recursive: true });
  }
}

export function isRight({ events, booked, givenUp, ...found }: Contention): boolean {
  return booked === events && givenUp === 0 && found.audit === 'whole' && found.books === 'equal';
}

/** Returns when everything is booked: the faults end with the last event, and two ledgers stay. */
async function fight(arena: Arena): Promise<Tally> {
  const { books, events, seconds } = arena;
  const tally: Tally = { kills: 0, deadlocks: 0 };
  const over = new AbortController();
  // From when on both are there: on a slow machine that takes longer than some runs.
  const ledgers = await Promise.all([startLedger(arena), startLedger(arena)]);
  const killed = killing(arena, { ledgers, tally }, over.signal);
  const deadlocked = deadlocking(arena, tally, over.signal);
  const restarting = delay(seconds * 500).then(async () => {
    await arena.mariadb.kill();
    await arena.mariadb.restart();
  });
  await Promise.all([feed(arena), restarting]);
  over.abort();
  await Promise.all([killed, deadlocked]);
  while ((await bookedIn(books)) < events.length) await delay(200);
  await Promise.all(ledgers.map((ledger) => ledger.stop()));
  return tally;
}

async function bookedIn({ query }: Books): Promise<number> {
  return Number((await query('SELECT COUNT(*) AS n FROM inbox'))[0]?.['n']);
}

/** Every event twice, in two orders, evenly over the time. */
async function feed({ redisUrl, events, seconds }: Arena): Promise<void> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const twice = [...shuffled(events, 1), ...shuffled(events, 2)];
  const names = Object.keys(QUEUES) as QueueName[];
  const queues = names.map((name) => ({ name, queue: openQueue(name, redis, PREFIX) }));
  const portion = Math.ceil(twice.length / (seconds * 10));
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

/** Each second one of them dies, and is started again at once. */
async function killing(
  arena: Arena,
  { ledgers, tally }: { readonly ledgers: ServiceProcess[]; readonly tally: Tally },
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    await delay(1_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const index = turn % ledgers.length;
    await ledgers[index]?.kill();
    tally.kills += 1;
    ledgers[index] = await startLedger(arena);
  }
}

function startLedger({ books, redisUrl }: Arena): Promise<ServiceProcess> {
  return startProcess('ledger', environment(books, redisUrl));
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
    await delay(20);
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

async function judged(
  books: Books,
  events: readonly KopeckEvent[],
): Promise<Pick<Contention, 'events' | 'booked' | 'audit' | 'books'>> {
  const found = [...(await books.balances())].toSorted().join('\n');
  const expected = modelBalances(events, CASHBACK).join('\n');
  const { problem } = await audit(books.pool);
  return {
    events: events.length,
    booked: await bookedIn(books),
    audit: problem === null ? 'whole' : JSON.stringify(problem),
    books: found === expected ? 'equal' : `\n${found}\nwanted:\n${expected}`,
  };
}
