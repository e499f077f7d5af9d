import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const PAGE_BYTES = 4096;

/** `waiting` is 1 until the queue has acknowledged the row. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    appended_at INTEGER NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  CREATE INDEX IF NOT EXISTS events_waiting ON events (seq) WHERE waiting = 1;
  CREATE TABLE IF NOT EXISTS journal (
    id TEXT NOT NULL,
    forwarded INTEGER NOT NULL
  ) STRICT;`;

type NewRow = readonly [jobId: string, event: string, appendedAt: number];

export interface JournalFile {
  readonly id: string;
  /**
   * One transaction, one fsync. True: inserted. False: the job id is there already; it is forwarded
   * again, because the ledger wants to see repeats (a late one of a past status is for a person).
   */
  readonly insert: (rows: readonly NewRow[]) => readonly boolean[];
  readonly pending: (limit: number) => readonly { seq: number; event: string }[];
  readonly waiting: () => number;
  readonly mark: (seqs: readonly number[]) => void;
  readonly forwarded: () => number;
  readonly unmarkAll: () => number;
  readonly prune: (appendedBefore: number) => void;
  /** Moves what the other file still holds into this one, then removes the other. */
  readonly takeOver: (other: JournalFile) => void;
  readonly rows: () => readonly NewRow[];
  readonly bytes: () => number;
  readonly isOpen: () => boolean;
  readonly close: () => void;
  readonly path: string;
}

/**
 * EXCLUSIVE locking makes SQLite hold the file until it is closed or its process is dead: that lock
 * says whose journal it is. The size is capped by SQLite itself, so an insert above it leaves nothing.
 * Throws when another process holds the file.
 */
export function openLocked(path: string, maxBytes: number): JournalFile {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_size_limit = 8388608;
      PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)};`);
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
  return fileOf(db, path);
}

/** Every journal of the folder that no living process holds, opened. */
export function adoptAll(dir: string, maxBytes: number): readonly JournalFile[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.sqlite'))
    .sort()
    .flatMap((name) => {
      try {
        return [openLocked(join(dir, name), maxBytes)];
      } catch (error) {
        if (isBusy(error)) return [];
        throw error;
      }
    });
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function fileOf(db: DatabaseSync, path: string): JournalFile {
  const insertOne = db.prepare(
    'INSERT INTO events (job_id, event, appended_at) VALUES (?, ?, ?) ON CONFLICT (job_id) DO NOTHING',
  );
  const select = db.prepare('SELECT seq, event FROM events WHERE waiting = 1 ORDER BY seq LIMIT ?');
  const forwardAgain = db.prepare('UPDATE events SET waiting = 1 WHERE job_id = ?');
  const markOne = db.prepare('UPDATE events SET waiting = 0 WHERE seq = ?');
  const number = (sql: string): (() => number) => {
    const statement = db.prepare(sql);
    return () => Number(Object.values(statement.get() ?? {})[0] ?? 0);
  };
  const pages = number('PRAGMA page_count');
  const free = number('PRAGMA freelist_count');

  return {
    path,
    id: String(db.prepare('SELECT id FROM journal').get()?.['id']),
    insert: (rows) =>
      inTransaction(db, () =>
        rows.map((row) => {
          if (insertOne.run(...row).changes === 1) return true;
          forwardAgain.run(row[0]);
          return false;
        }),
      ),
    pending: (limit) => select.all(limit) as unknown as { seq: number; event: string }[],
    waiting: number('SELECT count(*) FROM events WHERE waiting = 1'),
    forwarded: number('SELECT forwarded FROM journal'),
    mark(seqs) {
      inTransaction(db, () => {
        for (const seq of seqs) markOne.run(seq);
        db.prepare('UPDATE journal SET forwarded = max(forwarded, ?)').run(Math.max(...seqs));
      });
    },
    unmarkAll: () =>
      inTransaction(db, () => {
        db.exec('UPDATE journal SET forwarded = 0');
        return Number(db.prepare('UPDATE events SET waiting = 1 WHERE waiting = 0').run().changes);
      }),
    prune: (appendedBefore) =>
      void db
        .prepare('DELETE FROM events WHERE waiting = 0 AND appended_at < ?')
        .run(Math.min(appendedBefore, Number.MAX_SAFE_INTEGER)),
    takeOver(other) {
      inTransaction(db, () => other.rows().map((row) => insertOne.run(...row)));
      other.close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(other.path + suffix, { force: true });
    },
    rows: () =>
      db
        .prepare('SELECT job_id, event, appended_at FROM events')
        .all()
        .map((row) => [String(row['job_id']), String(row['event']), Number(row['appended_at'])]),
    bytes: () => (pages() - free()) * PAGE_BYTES,
    isOpen: () => db.isOpen,
    close: () => db.close(),
  };
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
