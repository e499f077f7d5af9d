import type { DatabaseSync } from 'node:sqlite';

/** A repeat is told by its job id. */
export type NewRow = readonly [jobId: string, event: string, appendedAt: number];

/** Adds a row, and makes it wait also when it was there before. True: it was not. */
export function writerOf(db: DatabaseSync): (row: NewRow) => boolean {
  const newest = newestOf(db);
  // A file of an older version has an index that finds every repeat.
  const insert = db.prepare(
    'INSERT INTO events (job_id, event, appended_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const isKept = db.prepare('SELECT 1 FROM events WHERE seq = ? AND job_id = ?');
  const wait = db.prepare('INSERT INTO waiting VALUES (?) ON CONFLICT DO NOTHING');
  const waitAgain = db.prepare(
    'INSERT INTO waiting SELECT seq FROM events WHERE job_id = ? ON CONFLICT DO NOTHING',
  );
  return (row) => {
    const [jobId] = row;
    const known = newest.seqOf(jobId);
    // Its row may have been dropped since, or taken back with its transaction.
    if (known !== undefined && isKept.get(known, jobId) !== undefined) {
      wait.run(known);
      return false;
    }
    const { changes, lastInsertRowid } = insert.run(...row);
    if (changes === 0) {
      waitAgain.run(jobId);
      return false;
    }
    wait.run(lastInsertRowid);
    newest.add(jobId, Number(lastInsertRowid));
    return true;
  };
}

/**
 * Of so many of the newest rows, or up to twice as many, the job ids are kept in memory. An index of
 * all would have a page to write for nearly every row, and take longer than the row itself; what
 * repeats an older one is found by the ledger.
 */
const REMEMBERED = 10_000;

interface Newest {
  readonly seqOf: (jobId: string) => number | undefined;
  readonly add: (jobId: string, seq: number) => void;
}

function newestOf(db: DatabaseSync): Newest {
  let young = new Map<string, number>();
  let old = young;
  const newest: Newest = {
    seqOf: (jobId) => young.get(jobId) ?? old.get(jobId),
    add(jobId, seq) {
      young.set(jobId, seq);
      if (young.size < REMEMBERED) return;
      old = young;
      young = new Map();
    },
  };
  const rows = db.prepare('SELECT job_id, seq FROM events ORDER BY seq DESC LIMIT ?');
  for (const row of rows.all(REMEMBERED).toReversed()) {
    newest.add(String(row['job_id']), Number(row['seq']));
  }
  return newest;
}
