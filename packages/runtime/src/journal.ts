import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import { holdHere, holdOnThread, type Holder } from './journal-holder.ts';
import { isDiskFull } from './disk.ts';
import { createBatches } from './journal-batches.ts';
import type { NewRow } from './journal-writer.ts';

/** Nothing can be made durable now: the sender gets a 503 and must come again. */
export class JournalUnavailable extends Error {
  override name = 'JournalUnavailable' as const;
}

export interface JournalOptions {
  readonly dir: string;
  readonly maxBytes: number;
  readonly keepHours: number;
  readonly now: () => Date;
  /** Holds the file on a thread of its own (some 12 MB): unless it is true, on the caller's. */
  readonly ownThread?: boolean;
}

/** An event, or whatever else is on its way to Redis: told from others by its job id. */
export type Journaled = Pick<KopeckEvent, 'id' | 'contenthash'> & { readonly data?: object };

export interface JournalRow<E extends Journaled = KopeckEvent> {
  readonly seq: number;
  readonly event: E;
}

/** What came in and may not be lost: on disk and fsynced before anybody is told that it is accepted. */
export interface Journal<E extends Journaled = KopeckEvent> {
  /** Names this journal in Redis. */
  readonly id: string;
  /** Names of journals that this one has taken over when it was opened: they are no more. */
  readonly adopted: readonly string[];
  /** Resolves when the event is on disk. Throws JournalUnavailable; then nothing of it is kept. */
  readonly append: (event: E) => Promise<'accepted' | 'duplicate'>;
  /** Whether an append would be tried now: cap, disk and lock. */
  readonly writable: () => Promise<boolean>;
  /** The oldest events that the queue has not acknowledged. */
  readonly pending: (limit: number) => Promise<readonly JournalRow<E>[]>;
  readonly waiting: () => Promise<number>;
  /** Says that the queue has acknowledged these rows. */
  readonly mark: (seqs: readonly number[]) => Promise<void>;
  /** The highest acknowledged row, ever; Redis must remember the same. */
  readonly forwarded: () => Promise<number>;
  /** Redis has forgotten: all rows that are still kept are to be forwarded again. */
  readonly unmarkAll: () => Promise<number>;
  /** Drops acknowledged rows that are old enough, or the oldest of all while space is short. */
  readonly prune: () => Promise<void>;
  readonly bytes: () => Promise<number>;
  readonly close: () => Promise<void>;
}

const HOUR_MS = 3_600_000;
/**
 * Above this part of the cap acknowledged rows go, however young: well below the half at which people
 * are told, for those rows are no reason to tell them.
 */
const SHORT_OF_SPACE = 0.4;

/** With a thread of its own: while it writes so many, the next are read. */
const HANDFUL = 8;

/**
 * Opens the first unlocked journal of the folder, or a new one, and takes over the rows of every other
 * unlocked one. Throws JournalUnavailable.
 */
export async function openJournal<E extends Journaled = KopeckEvent>(
  options: JournalOptions,
): Promise<Journal<E>> {
  const { dir, maxBytes, keepHours, now } = options;
  const { id, adopted, ask } = await openHolder(options);
  const add = createBatches({ write, enough: options.ownThread === true ? HANDFUL : Infinity });

  async function write(rows: readonly NewRow[]): Promise<readonly boolean[]> {
    try {
      return await ask('insert', rows);
    } catch (cause) {
      throw new JournalUnavailable('the journal cannot be written', { cause });
    }
  }

  async function prune(): Promise<void> {
    const isShort = (await ask('bytes')) > maxBytes * SHORT_OF_SPACE;
    await ask('prune', isShort ? Infinity : now().getTime() - keepHours * HOUR_MS);
  }

  return {
    id,
    adopted,
    append: async (event) => {
      const isNew = await add([jobId(event), JSON.stringify(event), now().getTime()]);
      return isNew ? 'accepted' : 'duplicate';
    },
    writable: async () => {
      const bytes = await ask('bytes').catch(() => Infinity);
      return !isDiskFull(dir) && bytes < maxBytes * 0.98;
    },
    pending: async (limit) =>
      (await ask('pending', limit)).map(({ seq, event }) => ({
        seq,
        event: JSON.parse(event) as E,
      })),
    waiting: () => ask('waiting'),
    mark: (seqs) => ask('mark', seqs),
    forwarded: () => ask('forwarded'),
    unmarkAll: () => ask('unmarkAll'),
    prune,
    bytes: () => ask('bytes'),
    close: () => ask('close'),
  };
}

async function openHolder({ dir, maxBytes, ownThread }: JournalOptions): Promise<Holder> {
  try {
    return await (ownThread === true ? holdOnThread : holdHere)({ dir, maxBytes });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new JournalUnavailable(`cannot open a journal in ${dir}: ${why}`, { cause });
  }
}
