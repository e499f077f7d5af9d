import { statfsSync } from 'node:fs';
import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import { openFolder, type Opened } from './journal-folder.ts';
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
  readonly writable: () => boolean;
  /** The oldest events that the queue has not acknowledged. */
  readonly pending: (limit: number) => readonly JournalRow<E>[];
  readonly waiting: () => number;
  /** Says that the queue has acknowledged these rows. */
  readonly mark: (seqs: readonly number[]) => void;
  /** The highest acknowledged row, ever; Redis must remember the same. */
  readonly forwarded: () => number;
  /** Redis has forgotten: all rows that are still kept are to be forwarded again. */
  readonly unmarkAll: () => number;
  /** Drops acknowledged rows that are old enough, or the oldest of all while space is short. */
  readonly prune: () => void;
  readonly bytes: () => number;
  readonly close: () => void;
}

const DISK_FREE_MIN = 0.1;
/**
 * Above this part of the cap acknowledged rows go, however young: well below the half at which people
 * are told, for those rows are no reason to tell them.
 */
const SHORT_OF_SPACE = 0.4;

/** What an fsync takes on a slow disk: no answer is held up by more. */
const GATHER_MS = 10;

interface Waiting {
  readonly row: NewRow;
  readonly resolve: (result: 'accepted' | 'duplicate') => void;
  readonly reject: (error: JournalUnavailable) => void;
}

/**
 * Opens the first unlocked journal of the folder, or a new one, and takes over the rows of every other
 * unlocked one. Throws JournalUnavailable.
 */
export function openJournal<E extends Journaled = KopeckEvent>(
  options: JournalOptions,
): Journal<E> {
  const { dir, maxBytes, keepHours, now } = options;
  const { own: file, adopted } = openOwn(dir, maxBytes);
  let batch: Waiting[] = [];
  let begunAt = 0;

  /**
   * Appends that come close together share a transaction and an fsync: as long as each turn of the
   * event loop brings more of them the batch waits, but not for long. One that comes alone is written
   * in the next turn.
   */
  function gather(size: number): void {
    const isLate = performance.now() - begunAt >= GATHER_MS;
    if (batch.length === size || isLate) flush();
    else setImmediate(gather, batch.length);
  }

  function flush(): void {
    const taken = batch;
    batch = [];
    try {
      if (isDiskFull(dir)) throw new Error('less than 10 % of the disk is free');
      const results = file.insert(taken.map(({ row }) => row));
      taken.forEach(({ resolve }, index) =>
        resolve(results[index] === true ? 'accepted' : 'duplicate'),
      );
    } catch (cause) {
      const error = new JournalUnavailable('the journal cannot be written', { cause });
      for (const { reject } of taken) reject(error);
    }
  }

  const isShort = (): boolean => file.bytes() > maxBytes * SHORT_OF_SPACE;

  return {
    id: file.id,
    adopted,
    append(event) {
      return new Promise((resolve, reject) => {
        const row: NewRow = [jobId(event), JSON.stringify(event), now().getTime()];
        if (batch.push({ row, resolve, reject }) > 1) return;
        begunAt = performance.now();
        setImmediate(gather, 0);
      });
    },
    writable: () => file.isOpen() && !isDiskFull(dir) && file.bytes() < maxBytes * 0.98,
    pending: (limit) =>
      file.pending(limit).map(({ seq, event }) => ({ seq, event: JSON.parse(event) as E })),
    waiting: () => file.waiting(),
    mark: (seqs) => file.mark(seqs),
    forwarded: () => file.forwarded(),
    unmarkAll: () => file.unmarkAll(),
    prune: () => file.prune(isShort() ? Infinity : now().getTime() - keepHours * 3_600_000),
    bytes: () => file.bytes(),
    close: () => file.close(),
  };
}

function openOwn(dir: string, maxBytes: number): Opened {
  try {
    return openFolder(dir, maxBytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new JournalUnavailable(`cannot open a journal in ${dir}: ${why}`, { cause });
  }
}

function isDiskFull(dir: string): boolean {
  try {
    const { bavail, blocks } = statfsSync(dir);
    return bavail < blocks * DISK_FREE_MIN;
  } catch {
    return true;
  }
}
