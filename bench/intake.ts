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
import { startRig, type Rig } from '../test/rig/rig.ts';
import { numberOf } from '../test/rig/number-option.ts';
import { load, type Load, type Message } from './http-load.ts';
import { receiversOf, type Receiver } from './receivers.ts';
import { record } from './result.ts';

/**
 * `npm run bench:intake -- [--requests 6000]`: what each receiver takes in at 1, 32 and 128 connections,
 * beside a bare Express handler that keeps nothing and beside itself without the fsync: with its journal
 * in the machine's memory, or its database told not to sync. All in turns, in the same run.
 */
const { values } = parseArgs({ options: { requests: { type: 'string', default: '6000' } } });
const REQUESTS = numberOf('requests', values.requests);
const CONNECTIONS = [1, 32, 128];
/** One request after the other takes long, and a few tell as much. */
const OF_ONE = 0.2;
/** The same for both, and long: V8 goes on optimizing for tens of thousands of requests. */
const WARM_UP = 3;
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
  const synced = await rounds(receiver, rig.url[receiver.service]);
  const restore = await leaveOutFsync(receiver);
  const lax = await rounds(receiver, rig.url[receiver.service]);
  await restore();
  const plain = await rounds(receiver, bare.url);
  for (const [at, connections] of CONNECTIONS.entries()) {
    const [own, own2, handler] = [synced[at], lax[at], plain[at]];
    if (own === undefined || own2 === undefined || handler === undefined) continue;
    record({
      bench: 'intake',
      what: `${receiver.name}, ${connections} connection${connections === 1 ? '' : 's'}`,
      value: own.requestsPerSecond,
      unit: 'requests/s',
      more: {
        'p50 ms': own.p50Ms,
        'p99 ms': own.p99Ms,
        'unsynced requests/s': own2.requestsPerSecond,
      },
      baseline: { what: 'bare Express', value: handler.requestsPerSecond },
    });
  }
}

/** A warm-up, then each number of connections. Throws when an answer is not 200. */
async function rounds(receiver: Receiver, url: string): Promise<readonly Load[]> {
  const run = (connections: number, requests: number): Promise<Load> =>
    load({ url, messageOf: () => fresh(receiver), connections, requests });
  await run(32, Math.ceil(REQUESTS * WARM_UP));
  const results: Load[] = [];
  for (const connections of CONNECTIONS) {
    await drained(receiver);
    const requests = Math.ceil(connections === 1 ? REQUESTS * OF_ONE : REQUESTS);
    const result = await run(connections, requests);
    if (result.answers['200'] !== requests) {
      throw new Error(`${receiver.name} answered ${JSON.stringify(result.answers)}`);
    }
    results.push(result);
  }
  await drained(receiver);
  await emptyQueue(receiver);
  return results;
}

/** Nobody books here, and a queue with fifty thousand jobs takes no more. */
async function emptyQueue({ service }: Receiver): Promise<void> {
  const connection = new Redis(rig.redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue(`events-${service}`, { connection, prefix: '{kopeck}' });
  await queue.drain();
  await queue.close();
  connection.disconnect();
}

function fresh({ messageOf }: Receiver): Message {
  next += 1;
  return messageOf(next);
}

/** What one measurement leaves to be forwarded is no burden of the next. */
async function drained({ service, keeps }: Receiver): Promise<void> {
  if (keeps !== 'journal') return;
  const isDrained = async (): Promise<boolean> => {
    const metrics = await (await fetch(`${rig.metricsUrl[service]}/metrics`)).text();
    return /^kopeck_journal_waiting\S* 0$/m.test(metrics);
  };
  // The figure is renewed once a second, so it may still be that of the time before the load.
  await waitFor(async () => !(await isDrained()), { timeoutMs: 1_500 }).catch(() => undefined);
  await waitFor(isDrained, { timeoutMs: 120_000, everyMs: 100 });
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
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-express.ts')], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), child };
}
