import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createBell } from './bell.ts';
import type { Journal } from './journal.ts';
import type { Log } from './log.ts';
import type { EventQueue } from './queue.ts';
import { checkRedisSafety, UnsafeRedisError } from './redis.ts';
import { withDeadline } from './shutdown.ts';
import { within } from './within.ts';

export interface ForwarderOptions {
  readonly journal: Journal;
  readonly queue: EventQueue;
  readonly redis: Redis;
  /** Where Redis remembers how far this journal has been forwarded. */
  readonly epochKey: string;
  readonly unsafe: boolean;
  readonly log: Log;
  /** Told after each look at a new connection. An error: Redis may lose writes, so nothing goes there. */
  readonly onSafety: (error: UnsafeRedisError | null) => void;
}

export interface Forwarder {
  /** Tells that something was appended. */
  readonly wake: () => void;
  readonly connected: () => boolean;
  readonly close: () => Promise<void>;
}

const BATCH = 100;
/**
 * While requests come in, a batch begins so long after the one before: a thousand events a second, about
 * what one ledger books. What comes in faster waits on disk, not in Redis.
 */
const BURST_MS = 100;
/** And as long as so many wait there nobody is served by more: half a second's work of a ledger. */
const ENOUGH_WAITING = 500;
const MAX_JOBS_WAITING = 50_000;
const MAX_MEMORY_PART = 0.7;
const IDLE_MS = 250;
const CLOSE_WITHIN_MS = 2_000;
const PUBLISH_WITHIN_MS = 10_000;

/** Forwarded a whole batch, or fewer, or there is nothing to forward, or no hurry, or it cannot be now. */
type Progress = 'batch' | 'some' | 'nothing' | 'enough' | 'stuck';

/**
 * Publishes the journal to the queue, oldest first, and marks what Redis has acknowledged. While Redis
 * is away, slow or full the journal only grows longer.
 */
export function startForwarder(options: ForwarderOptions): Forwarder {
  const { redis } = options;
  const closing = new AbortController();
  const bell = createBell(IDLE_MS);
  const trouble = createTrouble(options.log);
  let isChecked = false;
  redis.on('close', () => (isChecked = false));

  async function step(isBurst: boolean): Promise<Progress> {
    if (redis.status !== 'ready') return 'stuck';
    if (!isChecked) {
      if (!options.unsafe) await checkRedisSafety(redis);
      options.onSafety(null);
      isChecked = true;
    }
    const progress = await forwardSome(options, isBurst);
    if (progress === 'stuck') trouble.tell('redis is full: forwarding waits for room');
    else trouble.isOver();
    return progress;
  }

  async function stepOrTell(isBurst: boolean): Promise<Progress> {
    try {
      return await step(isBurst);
    } catch (error) {
      isChecked = false;
      if (error instanceof UnsafeRedisError) options.onSafety(error);
      else if (!closing.signal.aborted) {
        trouble.tell('forwarding failed, will be tried again', error);
      }
      return 'stuck';
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const begun = performance.now();
      // What rang before is in this batch or waits on disk; what rings beside it makes a burst.
      const progress = await stepOrTell(bell.hasRung());
      if (progress === 'nothing') await bell.wait();
      if (progress === 'stuck') await pause(IDLE_MS, closing.signal);
      // A burst: those who wait for an answer come first, and the queue has time.
      if (progress === 'enough' || (progress === 'batch' && bell.hasRung()))
        await pause(Math.max(0, begun + BURST_MS - performance.now()), closing.signal);
    }
  }

  const running = run();
  return {
    wake: bell.ring,
    connected: () => redis.status === 'ready' && isChecked,
    async close() {
      closing.abort();
      bell.ring();
      await withDeadline(running, CLOSE_WITHIN_MS);
    },
  };
}

async function forwardSome(options: ForwarderOptions, isBurst: boolean): Promise<Progress> {
  const { journal, queue, redis, epochKey } = options;
  if (hasForgotten(await redis.get(epochKey), await journal.forwarded()))
    await forwardAgain(options);
  await journal.prune();
  const jobs = await queue.waiting();
  // Said before any row is read: in a burst that would be a hundred, ten times a second, in vain.
  if (isBurst && jobs >= ENOUGH_WAITING) return 'enough';
  const rows = await journal.pending(BATCH);
  if (rows.length === 0) return 'nothing';
  if (jobs >= MAX_JOBS_WAITING || (await isRedisFull(redis))) return 'stuck';

  await publishWithin(queue.publish(rows.map(({ event }) => event)));
  const seqs = rows.map(({ seq }) => seq);
  // Redis first: if we die in between, these rows are forwarded once more. What it remembered just
  // before tells whether it was emptied since it was asked above.
  const forwarded = await journal.forwarded();
  const before = await redis.set(epochKey, Math.max(forwarded, ...seqs), 'GET');
  if (hasForgotten(before, forwarded)) await forwardAgain(options);
  else await journal.mark(seqs);
  return rows.length === BATCH ? 'batch' : 'some';
}

/**
 * Redis must remember what it has acknowledged. One that was flushed, replaced or restored from an
 * older copy does not: then all rows that are kept go there again, and the ledger finds the duplicates.
 * That makes Redis disposable.
 */
function hasForgotten(remembered: string | null, forwarded: number): boolean {
  // More than we know: we died between its acknowledgement and our mark. Nothing is missing there.
  return Number(remembered ?? 0) < forwarded;
}

async function forwardAgain({ journal, redis, epochKey, log }: ForwarderOptions): Promise<void> {
  const rows = await journal.unmarkAll();
  await redis.set(epochKey, 0);
  log.warn('redis has another memory than the journal: forwarding again what is kept', { rows });
}

/** Above 70 % of maxmemory BullMQ could soon not even finish a job: a deadlock. */
async function isRedisFull(redis: Redis): Promise<boolean> {
  const memory = await redis.info('memory');
  const used = Number(/^used_memory:(\d+)/m.exec(memory)?.[1] ?? 0);
  const max = Number(/^maxmemory:(\d+)/m.exec(memory)?.[1] ?? 0);
  return max > 0 && used > max * MAX_MEMORY_PART;
}

/** A hanging Redis must not hold the forwarder for ever: the rows stay unmarked and go again. */
async function publishWithin(publishing: Promise<void>): Promise<void> {
  await within(publishing, PUBLISH_WITHIN_MS, () => new Error('redis does not answer'));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** The same trouble several times a second is one line. */
function createTrouble(log: Log) {
  let told = '';
  return {
    tell(message: string, error?: unknown): void {
      const words = `${message} ${error instanceof Error ? error.message : ''}`;
      if (words !== told) log.warn(message, error === undefined ? {} : { error });
      told = words;
    },
    isOver(): void {
      if (told !== '') log.info('forwarding again');
      told = '';
    },
  };
}
