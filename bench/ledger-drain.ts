import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Pool } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { decodeEvent } from '@kopeck/core/event-schema';
import { sha256 } from '@kopeck/core/identity';
import { createLog, noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { openQueue, openWorker } from '@kopeck/runtime/queue';
import { paymentEvent } from '@kopeck/testing/build-event';
import { createBatcher } from '../services/ledger/src/batcher.ts';
import { bookBatch, bookOrBisect, type BookDeps } from '../services/ledger/src/book.ts';
import { inputsFor } from '../services/ledger/src/inputs.ts';
import { CONCURRENCY, startWorkers } from '../services/ledger/src/workers.ts';
import { cpuMs } from './cpu-time.ts';

export interface Bench {
  readonly pool: Pool;
  readonly redis: Redis;
  /** Whose processor time is counted. */
  readonly pids: readonly (number | undefined)[];
}

export interface Drained {
  /** Events a second. */
  readonly rate: number;
  /** Microseconds of the processor an event, process by process. */
  readonly cpu: readonly number[];
}

/** Starts what empties the queue and calls `done` for each event; returns what closes it. */
export type Start = (bench: Bench, prefix: string, done: () => void) => () => Promise<void>;

const QUEUE = 'events-crypto';
const PREFILL = 1_000;
const RATES = { NDN_PER_STAR: '10', PLANS: '{}', EPN_CASHBACK_PERCENT: '0' };
const TIMES = { lockMs: 10_000, stalledMs: 5_000 };
const WORKER = { concurrency: CONCURRENCY, ...TIMES };

/** Fills the queue first, then measures from the start of the workers to the last commit. */
export async function drain(
  bench: Bench,
  run: string,
  count: number,
  start: Start,
): Promise<Drained> {
  const prefix = `{bench-${run}}`;
  const queue = openQueue(QUEUE, bench.redis, prefix);
  for (let at = 0; at < count; at += PREFILL) {
    const size = Math.min(PREFILL, count - at);
    await queue.publish(Array.from({ length: size }, (_, index) => star(run, at + index)));
  }
  let left = count;
  const last = new AbortController();
  const gone = once(last.signal, 'abort');
  const used = bench.pids.map(cpuMs);
  const began = performance.now();
  const close = start(bench, prefix, () => {
    left -= 1;
    if (left === 0) last.abort();
  });
  await gone;
  const seconds = (performance.now() - began) / 1_000;
  const cpu = bench.pids.map((pid, index) => cpuMs(pid) - (used[index] ?? 0));
  await close();
  await queue.close();
  return { rate: count / seconds, cpu: cpu.map((ms) => (ms * 1_000) / count) };
}

/** A payment in Stars as Telegram tells it: four postings, two messages, and ids in no order. */
function star(run: string, index: number): KopeckEvent {
  const paymentId = sha256(`${run}-${index}`).slice(0, 40);
  const user = String(1 + (index % 5_000));
  const event = paymentEvent('payment.paid', {
    source: 'telegram',
    paymentId,
    paid: { asset: 'XTR', amount: '150' },
    payer: user,
    reference: `{"telegram_id":${user},"amount_ndn":1500}`,
  });
  const update = { run, index, paymentId, update: sha256(paymentId).repeat(9) };
  const body = Buffer.from(JSON.stringify(update)).toString('base64');
  return { ...event, evidence: JSON.stringify({ method: 'POST', query: '', headers: {}, body }) };
}

export const doNothing: Start = ({ redis }, prefix, done) => {
  const worker = openWorker(QUEUE, async () => done(), { redis, prefix, ...WORKER }, noLog);
  return () => worker.close();
};

/** As the ledger runs: a worker a queue, a line of log an event, metrics. */
export const ledger: Start = ({ pool, redis }, prefix, done) => {
  const log = createLog({ service: 'ledger', level: 'info', secrets: [] });
  const restore = hideStdout();
  const stopping = new AbortController();
  const booking = createBatcher({
    book: (events) => bookOrBisect(depsOf(pool), events),
    log,
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
  const close = startWorkers({ redis, prefix, ...TIMES, batcher, log, metrics, now });
  return async () => {
    await close();
    // The last lines are written at the end of the turn.
    await setImmediate();
    restore();
  };
};

export const onePerTransaction: Start = ({ pool, redis }, prefix, done) => {
  const book = async (data: unknown): Promise<void> => {
    await bookBatch(depsOf(pool), [decodeEvent(QUEUE, data)]);
    done();
  };
  const worker = openWorker<unknown>(QUEUE, book, { redis, prefix, ...WORKER }, noLog);
  return () => worker.close();
};

function depsOf(pool: Pool): BookDeps {
  return { pool, inputsFor: (event) => inputsFor(RATES, event), now: () => new Date() };
}

/** The lines are made and written, but not to the terminal. */
function hideStdout(): () => void {
  const nowhere = openSync('/dev/null', 'w');
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text: string | Uint8Array) => writeSync(nowhere, String(text)) >= 0;
  return () => {
    process.stdout.write = write;
  };
}
