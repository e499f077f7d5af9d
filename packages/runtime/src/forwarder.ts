import type { Redis } from 'ioredis';
import type { Journal } from './journal.ts';
import type { Log } from './log.ts';
import type { EventQueue } from './queue.ts';
import { checkRedisSafety, UnsafeRedisError } from './redis.ts';
import { withDeadline } from './shutdown.ts';

export interface ForwarderOptions {
  readonly journal: Journal;
  readonly queue: EventQueue;
  readonly redis: Redis;
  /** Where Redis remembers how far this journal has been forwarded. */
  readonly epochKey: string;
  readonly unsafe: boolean;
  readonly log: Log;
  /** Redis turned out to lose writes: nothing may be forwarded to it. */
  readonly onUnsafe: (error: UnsafeRedisError) => void;
}

export interface Forwarder {
  /** Tells that something was appended. */
  readonly wake: () => void;
  readonly connected: () => boolean;
  readonly close: () => Promise<void>;
}

const BATCH = 200;
const MAX_JOBS_WAITING = 50_000;
const MAX_MEMORY_PART = 0.7;
const IDLE_MS = 250;
const PRUNE_EVERY_MS = 5_000;
const CLOSE_WITHIN_MS = 2_000;
const PUBLISH_WITHIN_MS = 10_000;

/**
 * Publishes the journal to the queue, oldest first, and marks what Redis has acknowledged. While Redis
 * is away, slow or full the journal only grows longer.
 */
export function startForwarder(options: ForwarderOptions): Forwarder {
  const { journal, queue, redis, log } = options;
  let wakeUp: () => void = () => undefined;
  const closing = new AbortController();
  const prune = createPruner(journal);
  let isCheckedConnection = false;
  redis.on('close', () => (isCheckedConnection = false));

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function step(): Promise<boolean> {
    if (redis.status !== 'ready') return false;
    if (!isCheckedConnection) {
      if (!options.unsafe) await checkRedisSafety(redis);
      isCheckedConnection = true;
    }
    await compareEpoch(options);
    prune();
    const rows = journal.pending(BATCH);
    if (rows.length === 0 || (await isRedisFull(options))) return false;

    await publishWithin(queue.publish(rows.map(({ event }) => event)));
    const seqs = rows.map(({ seq }) => seq);
    // Redis first: if we die in between, these rows are forwarded once more.
    await redis.set(options.epochKey, Math.max(journal.forwarded(), ...seqs));
    journal.mark(seqs);
    return rows.length === BATCH;
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        if (!(await step())) await pause();
      } catch (error) {
        isCheckedConnection = false;
        if (error instanceof UnsafeRedisError) options.onUnsafe(error);
        else log.warn('forwarding failed, will be tried again', { error });
        await pause();
      }
    }
  }

  const running = run();
  return {
    wake: () => wakeUp(),
    connected: () => redis.status === 'ready' && isCheckedConnection,
    async close() {
      closing.abort();
      wakeUp();
      await withDeadline(running, CLOSE_WITHIN_MS);
    },
  };
}

/** Looking through a day's rows is too much work for every turn, unless there is no room for more. */
function createPruner(journal: Journal): () => void {
  let prunedAt = -PRUNE_EVERY_MS;
  return () => {
    if (performance.now() - prunedAt < PRUNE_EVERY_MS && journal.writable()) return;
    prunedAt = performance.now();
    journal.prune();
  };
}

/**
 * Redis must remember what it has acknowledged. One that was flushed, replaced or restored from an
 * older copy does not: then all rows that are kept go there again, and the ledger finds the duplicates.
 * That makes Redis disposable.
 */
async function compareEpoch({ journal, redis, epochKey, log }: ForwarderOptions): Promise<void> {
  const remembered = Number((await redis.get(epochKey)) ?? 0);
  // More than we know: we died between its acknowledgement and our mark. Nothing is missing there.
  if (remembered >= journal.forwarded()) return;

  const rows = journal.unmarkAll();
  await redis.set(epochKey, 0);
  log.warn('redis has another memory than the journal: forwarding again what is kept', { rows });
}

/** Above 70 % of maxmemory BullMQ could soon not even finish a job: a deadlock. */
async function isRedisFull({ redis, queue }: ForwarderOptions): Promise<boolean> {
  if ((await queue.waiting()) >= MAX_JOBS_WAITING) return true;
  const memory = await redis.info('memory');
  const used = Number(/used_memory:(\d+)/.exec(memory)?.[1] ?? 0);
  const max = Number(/maxmemory:(\d+)/.exec(memory)?.[1] ?? 0);
  return max > 0 && used > max * MAX_MEMORY_PART;
}

/** A hanging Redis must not hold the forwarder for ever: the rows stay unmarked and go again. */
async function publishWithin(publishing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('redis does not answer')), PUBLISH_WITHIN_MS);
  });
  try {
    await Promise.race([publishing, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
