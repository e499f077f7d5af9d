import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import {
  JournalUnavailable,
  openJournal,
  type Journal,
  type JournalOptions,
} from '@kopeck/runtime/journal';
import { tinyEvent } from './tiny-source.ts';

const HOUR_MS = 3_600_000;

let dir: string;
let now: Date;
let opened: Journal[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kopeck-journal-'));
  now = new Date('2026-10-05T12:00:00Z');
  opened = [];
});
afterEach(() => {
  for (const journal of opened) journal.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(options: Partial<JournalOptions> = {}): Journal {
  const journal = openJournal({
    dir,
    maxBytes: 2 ** 24,
    keepHours: 24,
    now: () => now,
    ...options,
  });
  opened.push(journal);
  return journal;
}

function reopen(journal: Journal, options: Partial<JournalOptions> = {}): Journal {
  close(journal);
  return open(options);
}

function close(journal: Journal): void {
  journal.close();
  opened = opened.filter((other) => other !== journal);
}

function large(id: string, bytes: number): KopeckEvent {
  return { ...tinyEvent(id), evidence: 'x'.repeat(bytes) };
}

function idsOf(journal: Journal): readonly string[] {
  return journal.pending(10_000).map(({ event }) => nameOf(event));
}

function markAll(journal: Journal): void {
  for (let rows = journal.pending(200); rows.length > 0; rows = journal.pending(200)) {
    journal.mark(rows.map(({ seq }) => seq));
  }
}

/** Appends, ten in a turn, until there is no room; returns the ids of what was accepted. */
async function fill(journal: Journal, bytes: number): Promise<readonly string[]> {
  const accepted: string[] = [];
  for (;;) {
    const turn = Array.from({ length: 10 }, (_, index) => `fill-${accepted.length + index}`);
    const results = await Promise.allSettled(turn.map((id) => journal.append(large(id, bytes))));
    if (results.some(({ status }) => status === 'rejected')) return accepted;
    accepted.push(...turn);
  }
}

/** Changes what lies on the disk, while nobody has it open; and opens it. */
function reopenAfter(journal: Journal, sql: string): Journal {
  const [name = ''] = readdirSync(dir).filter((file) => file.endsWith('.sqlite'));
  close(journal);
  const db = new DatabaseSync(join(dir, name));
  db.exec(sql);
  db.close();
  return open();
}

/** All that the file holds, acknowledged or not. Closes the journal, for the file is locked by it. */
function leftBy(journal: Journal, folder = dir): readonly string[] {
  close(journal);
  const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.sqlite'));
  const db = new DatabaseSync(join(folder, file));
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  const rows = db.prepare('SELECT event FROM events ORDER BY seq').all();
  db.close();
  return rows.map(({ event }) => nameOf(JSON.parse(String(event)) as KopeckEvent));
}

function nameOf({ subject }: KopeckEvent): string {
  return subject.replace('affiliate:epn_bz:', '');
}

describe('an event', () => {
  test('waits, as it was, in the order of arrival', async () => {
    const journal = open();
    const events = ['c', 'a', 'b'].map((id) => tinyEvent(id));
    for (const event of events) expect(await journal.append(event)).toBe('accepted');
    expect(journal.pending(10).map(({ event }) => event)).toEqual(events);
    expect(idsOf(journal).slice(0, 2)).toEqual(['c', 'a']);
    expect([journal.waiting(), journal.forwarded()]).toEqual([3, 0]);
  });

  test('that comes again is a duplicate, in the same turn or later', async () => {
    const journal = open();
    const twice = [journal.append(tinyEvent('a')), journal.append(tinyEvent('a'))];
    expect(await Promise.all(twice)).toEqual(['accepted', 'duplicate']);
    expect(await journal.append(tinyEvent('a'))).toBe('duplicate');
    expect(idsOf(journal)).toEqual(['a']);
  });

  test('that comes again after it was forwarded is forwarded again', async () => {
    const journal = open();
    await journal.append(tinyEvent('a'));
    markAll(journal);
    expect(await journal.append(tinyEvent('a'))).toBe('duplicate');
    expect(idsOf(journal)).toEqual(['a']);
  });

  test('of the same id with other content is another one', async () => {
    const journal = open();
    const event = tinyEvent('a');
    await journal.append(event);
    expect(await journal.append({ ...event, contenthash: '0'.repeat(64) })).toBe('accepted');
    expect(journal.waiting()).toBe(2);
  });

  test('is written with those of the next turns, and not held up by them for long', async () => {
    const journal = open();
    const written: string[] = [];
    void journal.append(tinyEvent('first')).then((result) => written.push(result));
    await new Promise((resolve) => setImmediate(resolve));
    expect(journal.waiting()).toBe(0);

    // As many as there are turns: without a bound the first of them would never be written.
    for (let number = 0; written.length === 0; number += 1) {
      void journal.append(tinyEvent(`next-${number}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(journal.waiting()).toBeGreaterThan(1);
    await journal.append(tinyEvent('last'));
  });

  test('that comes again when many others have come since may be a row of its own', async () => {
    const journal = open();
    const append = (from: number, to: number): Promise<readonly string[]> =>
      Promise.all(
        Array.from({ length: to - from }, (_, index) =>
          journal.append(tinyEvent(`${from + index}`)),
        ),
      );
    await append(0, 10_000);
    expect(await journal.append(tinyEvent('0'))).toBe('duplicate');
    await append(10_000, 20_000);
    expect(await journal.append(tinyEvent('0'))).toBe('accepted');
    expect(await journal.append(tinyEvent('19999'))).toBe('duplicate');
    expect([journal.waiting(), leftBy(journal).length]).toEqual([20_001, 20_001]);
  });

  test('is not taken for one that a failed transaction has taken back', async () => {
    const fail = `CREATE TRIGGER fail BEFORE INSERT ON events WHEN new.event LIKE '%:bad"%'
                  BEGIN SELECT raise(FAIL, 'on purpose'); END`;
    const journal = reopenAfter(open(), fail);
    const together = ['a', 'bad'].map((id) => journal.append(tinyEvent(id)));
    const results = await Promise.allSettled(together);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);

    for (const id of ['b', 'a']) expect(await journal.append(tinyEvent(id))).toBe('accepted');
    expect(idsOf(journal)).toEqual(['b', 'a']);
  });

  test('of a file that an older version left is forwarded, and keeps its place', async () => {
    const old = JSON.stringify(tinyEvent('old'));
    const again = reopenAfter(
      open(),
      `DROP TABLE events;
       CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE,
                            event TEXT NOT NULL, appended_at INTEGER NOT NULL) STRICT;
       CREATE INDEX events_age ON events (appended_at);
       INSERT INTO events VALUES (7, 'a-job-id-as-it-used-to-be.0123456789abcdef', '${old}', 0);
       INSERT INTO waiting VALUES (7)`,
    );
    for (const id of ['new', 'new']) await again.append(tinyEvent(id));
    expect(idsOf(again)).toEqual(['old', 'new']);

    // Its index knows also what is not remembered.
    markAll(again);
    const file = reopenAfter(
      again,
      `UPDATE events SET job_id = '${jobId(tinyEvent('newer'))}' WHERE seq = 7`,
    );
    await Promise.all(
      Array.from({ length: 20_000 }, (_, index) => file.append(tinyEvent(`${index}`))),
    );
    markAll(file);
    expect(await file.append(tinyEvent('newer'))).toBe('duplicate');
    expect(idsOf(file)).toEqual(['old']);
  });

  test('that cannot be written down fails alone', async () => {
    const journal = open();
    const odd = { ...tinyEvent('odd'), data: { big: 1n } } as unknown as KopeckEvent;
    const results = await Promise.allSettled([
      journal.append(tinyEvent('a')),
      journal.append(odd),
      journal.append(tinyEvent('b')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(idsOf(journal)).toEqual(['a', 'b']);
  });

  test('is never handed out with more others than Redis can take at once', async () => {
    const journal = open();
    for (let number = 0; number < 10; number += 1) {
      await journal.append(large(String(number), 300_000));
    }
    expect(idsOf(journal)).toEqual(['0', '1', '2', '3']);
    expect(journal.pending(2)).toHaveLength(2);
  });
});

describe('what was acknowledged', () => {
  test('is remembered over a restart, and so is what was not', async () => {
    const journal = open();
    for (const id of ['a', 'b', 'c']) await journal.append(tinyEvent(id));
    journal.mark(journal.pending(2).map(({ seq }) => seq));

    const again = reopen(journal);
    expect([again.id, again.forwarded(), idsOf(again)]).toEqual([journal.id, 2, ['c']]);
  });

  test('waits again when Redis has forgotten', async () => {
    const journal = open();
    for (const id of ['a', 'b', 'c']) await journal.append(tinyEvent(id));
    journal.mark(journal.pending(2).map(({ seq }) => seq));
    expect(journal.unmarkAll()).toBe(2);
    expect([journal.forwarded(), idsOf(journal)]).toEqual([0, ['a', 'b', 'c']]);
  });

  test('goes after its hours; what was not acknowledged stays for ever', async () => {
    const journal = open();
    await journal.append(tinyEvent('old'));
    now = new Date(now.getTime() + 24 * HOUR_MS);
    await journal.append(tinyEvent('young'));
    markAll(journal);
    await journal.append(tinyEvent('waits'));
    journal.prune();
    expect(leftBy(journal)).toEqual(['old', 'young', 'waits']);

    now = new Date(now.getTime() + 1);
    const second = open();
    second.prune();
    expect(leftBy(second)).toEqual(['young', 'waits']);

    now = new Date(now.getTime() + 1_000 * HOUR_MS);
    const third = open();
    third.prune();
    expect(leftBy(third)).toEqual(['waits']);
  });
});

describe('a journal at its cap', () => {
  const maxBytes = 2 ** 18;

  test('refuses, holds all that it accepted and nothing else, and says so', async () => {
    const journal = open({ maxBytes });
    const accepted = await fill(journal, 1_000);
    expect(accepted.length).toBeGreaterThan(50);
    await fill(journal, 0);
    expect(journal.bytes()).toBeLessThanOrEqual(maxBytes);
    expect(journal.bytes()).toBeGreaterThan(maxBytes * 0.9);
    await expect(journal.append(large('x', 20_000))).rejects.toThrow(JournalUnavailable);
    expect(leftBy(journal).slice(0, accepted.length)).toEqual(accepted);
  });

  test('is not writable when nothing would fit', async () => {
    const journal = open({ maxBytes });
    expect(journal.writable()).toBe(true);
    await fill(journal, 10);
    expect(journal.writable()).toBe(false);
  });

  test('refuses what comes in one turn whole, and keeps none of it', async () => {
    const journal = open({ maxBytes });
    const turn = Array.from({ length: 20 }, (_, index) =>
      journal.append(large(`${index}`, 15_000)),
    );
    const results = await Promise.allSettled(turn);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(leftBy(journal)).toEqual([]);
  });

  test('can still be emptied, and then takes events again', async () => {
    const journal = open({ maxBytes });
    const accepted = await fill(journal, 0);
    markAll(journal);
    expect(journal.unmarkAll()).toBe(accepted.length);
    markAll(journal);
    journal.prune();
    expect(await journal.append(tinyEvent('next'))).toBe('accepted');
    expect(journal.writable()).toBe(true);
  });

  test('drops what was acknowledged before its time, the oldest first, and nothing that waits', async () => {
    const journal = open({ maxBytes: 2 ** 20 });
    const accepted = await fill(journal, 100);
    const done = journal.pending(1_100);
    journal.mark(done.map(({ seq }) => seq));
    journal.prune();
    journal.prune();
    const left = leftBy(journal);
    expect(left).toEqual(accepted.slice(1_000));
  });

  test('drops nothing before its time while there is room', async () => {
    const journal = open({ maxBytes: 2 ** 20 });
    for (let turn = 0; turn < 30; turn += 1) await journal.append(large(`${turn}`, 10_000));
    expect(journal.bytes()).toBeGreaterThan(300_000);
    markAll(journal);
    journal.prune();
    expect(leftBy(journal)).toHaveLength(30);
  });
});

describe('a journal that cannot be written', () => {
  test('refuses when its disk is gone, and is not writable', async () => {
    const journal = open();
    rmSync(dir, { recursive: true });
    expect(journal.writable()).toBe(false);
    await expect(journal.append(tinyEvent('a'))).rejects.toThrow(JournalUnavailable);
  });

  test('refuses after it was closed', async () => {
    const journal = open();
    close(journal);
    expect(journal.writable()).toBe(false);
    await expect(journal.append(tinyEvent('a'))).rejects.toThrow(JournalUnavailable);
  });
});

type Kept = Map<string, 'waits' | 'done'>;

/** What may happen to a journal, and to the model of it: what it keeps, in the order of arrival. */
const STEPS: Readonly<Record<string, (journal: Journal, kept: Kept, id: string) => unknown>> = {
  async append(journal, kept, id) {
    expect(await journal.append(tinyEvent(id))).toBe(kept.has(id) ? 'duplicate' : 'accepted');
    kept.set(id, 'waits');
  },
  mark(journal, kept) {
    const rows = journal.pending(2);
    if (rows.length > 0) journal.mark(rows.map(({ seq }) => seq));
    for (const { event } of rows) kept.set(nameOf(event), 'done');
  },
  forget(journal, kept) {
    journal.unmarkAll();
    for (const id of kept.keys()) kept.set(id, 'waits');
  },
  prune(journal, kept) {
    journal.prune();
    for (const [id, state] of kept) {
      if (state === 'waits') break;
      kept.delete(id);
    }
  },
};

test('loses nothing and invents nothing, whatever happens in whatever order', async () => {
  const name = fc.constantFrom('append', 'append', 'mark', 'forget', 'prune', 'restart');
  const step = fc.record({ name, id: fc.nat(2).map(String) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      const folder = mkdtempSync(join(dir, 'run-'));
      let journal = open({ dir: folder, keepHours: 0 });
      const kept: Kept = new Map();
      for (const next of steps) {
        now = new Date(now.getTime() + 1);
        if (next.name === 'restart') journal = reopen(journal, { dir: folder, keepHours: 0 });
        else await STEPS[next.name]?.(journal, kept, next.id);

        const waiting = [...kept].filter(([, state]) => state === 'waits').map(([id]) => id);
        expect(idsOf(journal)).toEqual(waiting);
      }
      expect(leftBy(journal, folder)).toEqual([...kept.keys()]);
    }),
    { numRuns: 30 },
  );
});
