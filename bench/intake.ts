import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { createMariadbTemplate } from '@kopeck/testing/private-mariadb';
import { waitFor } from '@kopeck/testing/wait-for';
import { IMAGE_FLAGS } from '../test/rig/image-flags.ts';
import { startRig, type Rig } from '../test/rig/rig.ts';
import { numberOf } from '../test/rig/number-option.ts';
import { load, type Load, type Message } from './http-load.ts';
import { receiversOf, type Receiver } from './receivers.ts';
import { record } from './result.ts';

/**
 * `npm run bench:intake -- [--requests 6000]`: what each receiver takes in at 1, 32 and 128 connections,
 * beside a bare Express handler that keeps nothing, in turns, of which the median is told; and beside
 * itself without the fsync: with its journal in the machine's memory, or its database told not to sync.
 */
const { values } = parseArgs({ options: { requests: { type: 'string', default: '6000' } } });
const REQUESTS = numberOf('requests', values.requests);
const CONNECTIONS = [1, 32, 128];
/** One request after the other takes long, and a few tell as much. */
const OF_ONE = 0.2;
/** The same for both, and long: V8 goes on optimizing for tens of thousands of requests. */
const WARM_UP = 3;
const TURNS = 3;
const MEMORY = '/dev/shm';

const dir = await mkdtemp(join(tmpdir(), 'kopeck-bench-'));
const unsynced = await mkdtemp(join(MEMORY, 'kopeck-bench-'));
const template = join(dir, 'template');
await createMariadbTemplate(template);
let next = 0;

const rig = await startRig(['sbp', 'crypto', 'epn'], {}, template);
const bare = await startBare();
try {
  for (const receiver of await receiversOf(rig)) await measure(receiver);
} finally {
  bare.child.kill('SIGTERM');
  await rig.close();
  for (const each of [dir, unsynced]) await rm(each, { recursive: true, force: true });
}

async function measure(receiver: Receiver): Promise<void> {
  const url = rig.url[receiver.service];
  await warmUp(receiver, url);
  await warmUp(receiver, bare.url);
  const beside = new Map<number, Turn>();
  for (const connections of CONNECTIONS)
    beside.set(connections, await inTurns(receiver, connections));

  const restore = await leaveOutFsync(receiver);
  await warmUp(receiver, url);
  for (const [connections, { own, handler }] of beside) {
    const lax = await run(receiver, url, connections);
    record({
      bench: 'intake',
      what: `${receiver.name}, ${connections} connection${connections === 1 ? '' : 's'}`,
      value: own.requestsPerSecond,
      unit: 'requests/s',
      more: {
        'p50 ms': own.p50Ms,
        'p99 ms': own.p99Ms,
        'unsynced requests/s': lax.requestsPerSecond,
      },
      baseline: { what: 'bare Express', value: handler.requestsPerSecond },
    });
  }
  await restore();
}

interface Turn {
  readonly own: Load;
  readonly handler: Load;
}

/** The median, by its ratio. */
async function inTurns(receiver: Receiver, connections: number): Promise<Turn> {
  const turns: Turn[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    turns.push({
      own: await run(receiver, rig.url[receiver.service], connections),
      handler: await run(receiver, bare.url, connections),
    });
  }
  const ratio = ({ own, handler }: Turn): number =>
    own.requestsPerSecond / handler.requestsPerSecond;
  const [median] = turns.toSorted((a, b) => ratio(a) - ratio(b)).slice(TURNS >> 1);
  if (median === undefined) throw new Error('no turn was measured');
  return median;
}

async function warmUp(receiver: Receiver, url: string): Promise<void> {
  const requests = Math.ceil(REQUESTS * WARM_UP);
  await load({ url, messageOf: () => fresh(receiver), connections: 32, requests });
  if (url !== bare.url) await settle(receiver, requests);
}

/** Throws when an answer is not 200. */
async function run(receiver: Receiver, url: string, connections: number): Promise<Load> {
  const requests = Math.ceil(connections === 1 ? REQUESTS * OF_ONE : REQUESTS);
  const result = await load({ url, messageOf: () => fresh(receiver), connections, requests });
  if (result.answers['200'] !== requests) {
    throw new Error(`${receiver.name} answered ${JSON.stringify(result.answers)}`);
  }
  if (url !== bare.url) await settle(receiver, requests);
  return result;
}

/**
 * What one measurement leaves to be forwarded is no burden of the next. Nobody books here, and a queue
 * with fifty thousand jobs takes no more.
 */
async function settle({ service, keeps }: Receiver, events: number): Promise<void> {
  if (keeps !== 'journal') return;
  const connection = new Redis(rig.redis.url, { maxRetriesPerRequest: null });
  const options = { connection, prefix: '{kopeck}', skipMetasUpdate: true };
  const queue = new Queue(`events-${service}`, options);
  await waitFor(async () => (await queue.count()) >= events, { timeoutMs: 120_000, everyMs: 50 });
  await queue.drain();
  await queue.close();
  connection.disconnect();
}

function fresh({ messageOf }: Receiver): Message {
  next += 1;
  return messageOf(next);
}

/** Returns what puts it right again. */
async function leaveOutFsync({ service, keeps }: Receiver): Promise<() => Promise<void>> {
  if (keeps === 'database') {
    await setFlush(rig, 0);
    return () => setFlush(rig, 1);
  }
  await rig.stop(service);
  await rig.start(service, { JOURNAL_DIR: join(unsynced, service) });
  return async () => {
    await rig.stop(service);
    await rig.start(service);
  };
}

async function setFlush({ mariadb }: Rig, value: 0 | 1): Promise<void> {
  const root = await createConnection(mariadb.rootUrl);
  await root.query(`SET GLOBAL innodb_flush_log_at_trx_commit = ${value}`);
  await root.end();
}

async function startBare(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const script = join(import.meta.dirname, 'bare-express.ts');
  const child = spawn(process.execPath, [...IMAGE_FLAGS, script], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), child };
}
