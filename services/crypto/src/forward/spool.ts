import type { Redis } from 'ioredis';
import { sha256 } from '@kopeck/core/identity';
import { openJournal, type Journal } from '@kopeck/runtime/journal';
import type { Log } from '@kopeck/runtime/log';
import { withDeadline } from '@kopeck/runtime/shutdown';
import { chatOf } from './chat-of.ts';
import type { Forwarded, ForwardQueue } from './forward-queue.ts';

export interface SpoolOptions {
  readonly dir: string;
  readonly redis: Redis;
  readonly queue: ForwardQueue;
  readonly log: Log;
  readonly now: () => Date;
}

/** Updates on disk until Redis has them: what Telegram believes to be taken outlives us and Redis. */
export interface Spool {
  /** Resolves when it is on disk. Throws JournalUnavailable. */
  readonly keep: (body: Buffer) => Promise<void>;
  readonly waiting: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

interface Row extends Forwarded {
  readonly id: string;
  readonly contenthash: string;
}

/** Small beside the journal of payments, which comes first. */
const MAX_BYTES = 128 * 2 ** 20;
const BATCH = 100;
/** So many wait in Redis at most, where payments need the room; the others wait here. */
const MOST_IN_REDIS = 5_000;
const LOOK_MS = 250;
const CLOSE_WITHIN_MS = 2_000;

/** A journal of its own, so that a bot which is down for a day does not fill that of the payments. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { dir, log, now } = options;
  // What Redis has is not kept: an update that came again would be news to the bot.
  const journal = await openJournal<Row>({ dir, maxBytes: MAX_BYTES, keepHours: 0, now });
  let moving: Promise<void> | null = null;

  function move(): void {
    moving ??= moveAll(journal, options)
      .catch((error: unknown) => log.debug('updates for the bot wait on disk', { error }))
      .finally(() => (moving = null));
  }

  const timer = setInterval(move, LOOK_MS);
  return {
    async keep(body) {
      const update = { body: body.toString('utf8'), receivedAt: now().toISOString() };
      await journal.append({ id: sha256(body), contenthash: '', ...update });
      move();
    },
    waiting: () => journal.waiting(),
    async stop() {
      clearInterval(timer);
      if (moving !== null) await withDeadline(moving, CLOSE_WITHIN_MS);
      await journal.close();
    },
  };
}

/** Oldest first. If we die between the two, an update is forwarded twice: Telegram does so, too. */
async function moveAll(journal: Journal<Row>, { redis, queue }: SpoolOptions): Promise<void> {
  for (;;) {
    await journal.prune();
    const rows = await journal.pending(BATCH);
    if (rows.length === 0 || redis.status !== 'ready') return;
    if ((await queue.waiting()) >= MOST_IN_REDIS) return;
    for (const { seq, event } of rows) {
      const { body, receivedAt } = event;
      await queue.put(chatOf(Buffer.from(body)), { body, receivedAt });
      await journal.mark([seq]);
    }
  }
}
