import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { createMariadbTemplate } from '@kopeck/testing/private-mariadb';
import { numberOf } from '../test/rig/number-option.ts';
import { NAMES, startRig, type Name } from '../test/rig/rig.ts';
import { load } from './http-load.ts';
import { growthMbPerHour, pssMb, type Sample } from './processes.ts';
import { receiversOf, type Receiver } from './receivers.ts';
import { record } from './result.ts';

/**
 * `npm run bench:sustained -- [--minutes 10] [--rate 100] [--events 20000] [--live]`: everything runs at
 * once. How long each service takes to start; what the receivers take in while the ledger books, measured
 * to the last commit, beside the same load alone; and for so many minutes at so many events a second the
 * memory of each process and whether it grows. `--live` has each collect its garbage now and then, and
 * tells what is left: that alone tells a leak from a heap that breathes.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '100' },
    events: { type: 'string', default: '20000' },
    live: { type: 'boolean', default: false },
  },
});
const MINUTES = numberOf('minutes', values.minutes);
const RATE = numberOf('rate', values.rate);
const EVENTS = numberOf('events', values.events);
const SETTLE_MS = 10_000;
const SAMPLE_MS = 5_000;
const TURN_MS = 100;
/** Until then heaps and caches fill. */
const GROWN_UP = 1 / 3;
const STARTS = 3;
const CONNECTIONS = 16;
const BENCH = 'sustained';

const dir = await mkdtemp(join(tmpdir(), 'kopeck-bench-'));
const live = join(dir, 'live-heap.jsonl');
const template = join(dir, 'template');
await createMariadbTemplate(template);
const rig = await startRig(NAMES, { NODE_OPTIONS: nodeOptions() }, template);
const database = await createConnection(rig.databaseUrl);
let next = 0;

try {
  for (const name of NAMES) await measureStart(name);
  await delay(SETTLE_MS);
  const idle = memoryOf();
  const receivers = (await receiversOf(rig)).filter(({ keeps }) => keeps === 'journal');
  await measureRate(receivers);
  await measureMemory(receivers, idle);
} finally {
  await database.end();
  await rig.close();
  await rm(dir, { recursive: true, force: true });
}

/** Beside the flags of the image. */
function nodeOptions(): string {
  const probe = new URL(`live-heap.mjs?to=${encodeURIComponent(live)}`, import.meta.url);
  return values.live ? `--import=${probe.href}` : '';
}

/** From the start of the process to the line that says that it listens. */
async function measureStart(name: Name): Promise<void> {
  const times: number[] = [];
  for (let turn = 0; turn < STARTS; turn += 1) {
    await rig.stop(name);
    const begun = performance.now();
    await rig.start(name);
    times.push(performance.now() - begun);
  }
  const median = times.toSorted((a, b) => a - b)[STARTS >> 1] ?? 0;
  record({ bench: BENCH, what: `start of ${name}`, value: median, unit: 'ms' });
}

/** Closed loops at all receivers; done when MariaDB has the last event. */
async function measureRate(receivers: readonly Receiver[]): Promise<void> {
  const each = Math.ceil(EVENTS / receivers.length);
  const before = await booked();
  const begun = performance.now();
  await Promise.all(receivers.map((receiver) => send(receiver, each)));
  const accepted = (performance.now() - begun) / 1_000;
  await until(before + each * receivers.length);
  const seconds = (performance.now() - begun) / 1_000;
  record({
    bench: BENCH,
    what: 'booked while requests come in, to the last commit',
    value: (each * receivers.length) / seconds,
    unit: 'events/s',
    baseline: {
      what: 'requests taken in meanwhile/s',
      value: (each * receivers.length) / accepted,
    },
  });
}

async function send({ service, messageOf }: Receiver, requests: number): Promise<void> {
  const url = rig.url[service];
  const message = () => messageOf((next += 1));
  const { answers } = await load({ url, messageOf: message, connections: CONNECTIONS, requests });
  if (answers['200'] !== requests) throw new Error(`${service}: ${JSON.stringify(answers)}`);
}

async function measureMemory(
  receivers: readonly Receiver[],
  idle: ReadonlyMap<string, number>,
): Promise<void> {
  const samples = new Map<string, Sample[]>();
  const ends = performance.now() + MINUTES * 60_000;
  const sampler = sample(samples, ends);
  await sendSteadily(receivers, ends);
  await sampler;
  for (const [name, all] of samples) {
    const late = all.slice(Math.floor(all.length * GROWN_UP));
    record({
      bench: BENCH,
      what: `memory of ${name} at ${RATE} events/s for ${MINUTES} minutes`,
      value: late.at(-1)?.mb ?? 0,
      unit: 'MB PSS',
      more: { 'growth MB/h': growthMbPerHour(late) },
      baseline: { what: 'idle', value: idle.get(name) ?? 0 },
    });
  }
  if (values.live) await recordLive();
}

async function recordLive(): Promise<void> {
  const lines = (await readFile(live, 'utf8')).trim().split('\n');
  const all = lines.map((line) => JSON.parse(line) as Sample & { readonly pid: number });
  for (const [name, { pid }] of rig.processes) {
    const own = all.filter((each) => each.pid === pid);
    const late = own.slice(Math.floor(own.length * GROWN_UP));
    record({
      bench: BENCH,
      what: `live heap of ${name} at ${RATE} events/s for ${MINUTES} minutes`,
      value: late.at(-1)?.mb ?? 0,
      unit: 'MB',
      more: { 'growth MB/h': growthMbPerHour(late) },
    });
  }
}

async function sample(samples: Map<string, Sample[]>, ends: number): Promise<void> {
  while (performance.now() < ends) {
    for (const [name, mb] of memoryOf()) {
      samples.set(name, [...(samples.get(name) ?? []), { atMs: performance.now(), mb }]);
    }
    await delay(SAMPLE_MS);
  }
}

/** At this rate, whatever the answers take. */
async function sendSteadily(receivers: readonly Receiver[], ends: number): Promise<void> {
  const begun = performance.now();
  let sent = 0;
  while (performance.now() < ends) {
    const due = Math.floor(((performance.now() - begun) * RATE) / 1_000) - sent;
    const each = Math.ceil(due / receivers.length);
    if (each > 0) await Promise.all(receivers.map((receiver) => send(receiver, each)));
    sent += each * receivers.length;
    await delay(TURN_MS);
  }
}

/** Throws when a service has ended by itself, with its last words. */
function memoryOf(): ReadonlyMap<string, number> {
  for (const [name, service] of rig.processes) {
    if (service.hasEnded()) throw new Error(`${name} has ended: ${service.log().slice(-3_000)}`);
  }
  const pids = new Map<string, number | undefined>([
    ...[...rig.processes].map(([name, { pid }]) => [name, pid] as const),
    ['mariadb', rig.mariadb.pid],
    ['redis', rig.redis.pid],
  ]);
  return new Map([...pids].flatMap(([name, pid]) => (pid ? [[name, pssMb(pid)]] : [])));
}

async function until(rows: number): Promise<void> {
  while ((await booked()) < rows) await delay(TURN_MS);
}

async function booked(): Promise<number> {
  const [[row]] = await database.query<RowDataPacket[]>('SELECT seq FROM chain_head WHERE id = 1');
  return Number(row?.['seq'] ?? 0);
}
