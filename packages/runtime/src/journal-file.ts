import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isDiskFull } from './disk.ts';
import { writerOf, type NewRow } from './journal-writer.ts';
import { inTransaction, numberOf } from './sqlite.ts';

const PAGE_BYTES = 4096;

/** `waiting` names the rows that the queue has not acknowledged; beside the events, which stay as they are. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    event TEXT NOT NULL,
    appended_at INTEGER NOT NULL
  ) STRICT;
  DROP INDEX IF EXISTS events_age;
  CREATE TABLE IF NOT EXISTS waiting (seq INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS journal (
    id TEXT NOT NULL,
    forwarded INTEGER NOT NULL
  ) STRICT;`;

export interface JournalFile {
  readonly id: string;
  /**
   * One transaction, one fsync; throws above the cap, and where the disk is nearly full. True: inserted. False: it repeats one of the
   * newest rows, and that one is forwarded again, because the ledger wants to see repeats (a late one
   * of a past status is for a person). A repeat of an older row is a row of its own.
   */
  readonly insert: (rows: readonly NewRow[]) => readonly boolean[];
  /** At most so many of the oldest, and not much more than a megabyte of them. */
  readonly pending: (limit: number) => readonly { seq: number; event: string }[];
  readonly waiting: () => number;
  readonly mark: (seqs: readonly number[]) => void;
  readonly forwarded: () => number;
  readonly unmarkAll: () => number;
  /** Drops some of the acknowledged rows that are older, the oldest first. */
  readonly prune: (appendedBefore: number) => void;
  /**
   * Moves what the other file still holds into this one, and removes the other. All of it is to be
   * forwarded: whether Redis still has what the other's process was told, nobody knows.
   */
  readonly takeOver: (other: JournalFile) => void;
  readonly rows: () => Iterable<NewRow>;
  readonly bytes: () => number;
  readonly isOpen: () => boolean;
  readonly close: () => void;
  readonly path: string;
}

/** What marking and pruning may take above the cap: a full journal must be able to become empty. */
const HEADROOM = 1.1;
const HEADROOM_PAGES = 64;
const BATCH_LENGTH = 2 ** 20;
/** A step of pruning must not hold up the requests. */
const PRUNED_AT_ONCE = 1_000;

/** Rows are acknowledged from the oldest on, so what stands before the first that waits can go. */
const FIRST_WAITING = `(SELECT coalesce(min(seq), ${Number.MAX_SAFE_INTEGER}) FROM waiting)`;
const PRUNE = `DELETE FROM events WHERE seq IN (
  SELECT seq FROM (SELECT seq, appended_at FROM events WHERE seq < ${FIRST_WAITING}
                    ORDER BY seq LIMIT ${PRUNED_AT_ONCE})
   WHERE appended_at < ?)`;
/** In the order of arrival, so that no index of times is kept with each row. */
const OLDEST = 'SELECT appended_at FROM events ORDER BY seq LIMIT 1';

/**
 * EXCLUSIVE locking makes SQLite hold the file until it is closed or its process is dead: that lock
 * says whose journal it is. Throws when another process holds the file.
 */
export function openLocked(path: string, maxBytes: number): JournalFile {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    const pages = Math.ceil((maxBytes * HEADROOM) / PAGE_BYTES) + HEADROOM_PAGES;
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_size_limit = 8388608;
      PRAGMA max_page_count = ${pages};`);
    db.exec('BEGIN EXCLUSIVE');
    db.exec(SCHEMA);
    db.prepare('INSERT INTO journal SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM journal)').run(
      randomUUID(),
    );
    db.exec('COMMIT');
  } catch (error) {
    db.close();
    throw error;
  }
  return fileOf(db, path, maxBytes);
}

function fileOf(db: DatabaseSync, path: string, maxBytes: number): JournalFile {
  const add = writerOf(db);
  const folder = dirname(path);
  const select = db.prepare(
    'SELECT seq, event FROM waiting JOIN events USING (seq) ORDER BY seq LIMIT ?',
  );
  const prune = db.prepare(PRUNE);
  const oldest = numberOf(db, OLDEST);
  const pages = numberOf(db, 'PRAGMA page_count');
  const free = numberOf(db, 'PRAGMA freelist_count');
  const bytes = (): number => (pages() - free()) * PAGE_BYTES;

  return {
    path,
    id: String(db.prepare('SELECT id FROM journal').get()?.['id']),
    insert(rows) {
      if (isDiskFull(folder)) throw new Error('less than 10 % of the disk is free');
      if (bytes() + sizeOf(rows) > maxBytes) throw new Error('the journal has reached its cap');
      return inTransaction(db, () => rows.map(add));
    },
    pending(limit) {
      const rows: { seq: number; event: string }[] = [];
      let length = 0;
      for (const { seq, event } of select.iterate(limit)) {
        rows.push({ seq: Number(seq), event: String(event) });
        length += String(event).length;
        if (length >= BATCH_LENGTH) break;
      }
      return rows;
    },
    waiting: numberOf(db, 'SELECT count(*) FROM waiting'),
    forwarded: numberOf(db, 'SELECT forwarded FROM journal'),
    mark: markerOf(db),
    unmarkAll: () =>
      inTransaction(db, () => {
        db.exec('UPDATE journal SET forwarded = 0');
        const again = 'INSERT INTO waiting SELECT seq FROM events WHERE seq NOT IN waiting';
        return Number(db.prepare(again).run().changes);
      }),
    prune(appendedBefore) {
      if (oldest() < appendedBefore) prune.run(Math.min(appendedBefore, Number.MAX_SAFE_INTEGER));
    },
    takeOver(other) {
      inTransaction(db, () => {
        for (const row of other.rows()) add(row);
      });
      other.close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(other.path + suffix, { force: true });
    },
    rows: () => rowsOf(db),
    bytes,
    isOpen: () => db.isOpen,
    close: () => db.close(),
  };
}

/** Without an fsync of its own: a mark that a power cut takes back costs one more forwarding. */
function markerOf(db: DatabaseSync): (seqs: readonly number[]) => void {
  const unwait = db.prepare('DELETE FROM waiting WHERE seq = ?');
  const setForwarded = db.prepare('UPDATE journal SET forwarded = max(forwarded, ?)');
  return (seqs) => {
    db.exec('PRAGMA synchronous = NORMAL');
    try {
      inTransaction(db, () => {
        for (const seq of seqs) unwait.run(seq);
        setForwarded.run(Math.max(...seqs));
      });
    } finally {
      db.exec('PRAGMA synchronous = FULL');
    }
  };
}

function* rowsOf(db: DatabaseSync): Generator<NewRow> {
  const all = db.prepare('SELECT job_id, event, appended_at FROM events ORDER BY seq');
  for (const row of all.iterate()) {
    yield [String(row['job_id']), String(row['event']), Number(row['appended_at'])];
  }
}

/** Roughly what the rows will take. */
function sizeOf(rows: readonly NewRow[]): number {
  return rows.reduce((sum, [id, event]) => sum + Buffer.byteLength(event) + 2 * id.length, 0);
}
