import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import {
  JournalUnavailable,
  openJournal,
  type Journal,
  type JournalOptions,
} from '@kopeck/runtime/journal';
import { idsOf, rowsIn } from './journal-rows.ts';
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
afterEach(async () => {
  for (const journal of opened) await journal.close();
  rmSync(dir, { recursive: true, force: true });
});

async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await openJournal({
    dir,
    maxBytes: 2 ** 24,
    keepHours: 24,
    now: () => now,
    ...options,
  });
  opened.push(journal);
  return journal;
}

async function reopen(journal: Journal, options: Partial<JournalOptions> = {}): Promise<Journal> {
  await close(journal);
  return open(options);
}

async function close(journal: Journal): Promise<void> {
  await journal.close();
  opened = opened.filter((other) => other !== journal);
}

function large(id: string, bytes: number): KopeckEvent {
  return { ...tinyEvent(id), evidence: 'x'.repeat(bytes) };
}

async function markAll(journal: Journal): Promise<void> {
  for (;;) {
    const rows = await journal.pending(200);
    if (rows.length === 0) return;
    await journal.mark(rows.map(({ seq }) => seq));
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
async function reopenAfter(journal: Journal, sql: string): Promise<Journal> {
  const [name = ''] = readdirSync(dir).filter((file) => file.endsWith('.sqlite'));
  await close(journal);
  const db = new DatabaseSync(join(dir, name));
  db.exec(sql);
  db.close();
  return open();
}

/** All that the file holds, acknowledged or not. Closes the journal, for the file is locked by it. */
async function leftBy(journal: Journal): Promise<readonly string[]> {
  await close(journal);
  return rowsIn(dir);
}

describe('an event', () => {
  test('waits, as it was, in the order of arrival', async () => {
    const journal = await open();
    const events = ['c', 'a', 'b'].map((id) => tinyEvent(id));
    for (const event of events) expect(await journal.append(event)).toBe('accepted');
    expect((await journal.pending(10)).map(({ event }) => event)).toEqual(events);
    expect((await idsOf(journal)).slice(0, 2)).toEqual(['c', 'a']);
    expect([await journal.waiting(), await journal.forwarded()]).toEqual([3, 0]);
  });

  test('that comes again is a duplicate, in the same turn or later', async () => {
    const journal = await open();
    const twice = [journal.append(tinyEvent('a')), journal.append(tinyEvent('a'))];
    expect(await Promise.all(twice)).toEqual(['accepted', 'duplicate']);
    expect(await journal.append(tinyEvent('a'))).toBe('duplicate');
    expect(await idsOf(journal)).toEqual(['a']);
  });

  test('that comes again after it was forwarded is forwarded again', async () => {
    const journal = await open();
    await journal.append(tinyEvent('a'));
    await markAll(journal);
    expect(await journal.append(tinyEvent('a'))).toBe('duplicate');
    expect(await idsOf(journal)).toEqual(['a']);
  });

  test('of the same id with other content is another one', async () => {
    const journal = await open();
    const event = tinyEvent('a');
    await journal.append(event);
    expect(await journal.append({ ...event, contenthash: '0'.repeat(64) })).toBe('accepted');
    expect(await journal.waiting()).toBe(2);
  });

  test('is written with those of the next turns, and not held up by them for long', async () => {
    const journal = await open();
    const written: string[] = [];
    void journal.append(tinyEvent('first')).then((result) => written.push(result));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await journal.waiting()).toBe(0);

    // As many as there are turns: without a bound the first of them would never be written.
    for (let number = 0; written.length === 0; number += 1) {
      void journal.append(tinyEvent(`next-${number}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await journal.waiting()).toBeGreaterThan(1);
    await journal.append(tinyEvent('last'));
  });

  test('that comes again when many others have come since may be a row of its own', async () => {
    const journal = await open();
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
    expect([await journal.waiting(), (await leftBy(journal)).length]).toEqual([20_001, 20_001]);
  });

  test('is not taken for one that a failed transaction has taken back', async () => {
    const fail = `CREATE TRIGGER fail BEFORE INSERT ON events WHEN new.event LIKE '%:bad"%'
                  BEGIN SELECT raise(FAIL, 'on purpose'); END`;
    const journal = await reopenAfter(await open(), fail);
    const together = ['a', 'bad'].map((id) => journal.append(tinyEvent(id)));
    const results = await Promise.allSettled(together);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);

    for (const id of ['b', 'a']) expect(await journal.append(tinyEvent(id))).toBe('accepted');
    expect(await idsOf(journal)).toEqual(['b', 'a']);
  });

  test('of a file that an older version left is forwarded, and keeps its place', async () => {
    const old = JSON.stringify(tinyEvent('old'));
    const again = await reopenAfter(
      await open(),
      `DROP TABLE events;
       CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE,
                            event TEXT NOT NULL, appended_at INTEGER NOT NULL) STRICT;
       CREATE INDEX events_age ON events (appended_at);
       INSERT INTO events VALUES (7, 'a-job-id-as-it-used-to-be.0123456789abcdef', '${old}', 0);
       INSERT INTO waiting VALUES (7)`,
    );
    for (const id of ['new', 'new']) await again.append(tinyEvent(id));
    expect(await idsOf(again)).toEqual(['old', 'new']);

    // Its index knows also what is not remembered.
    await markAll(again);
    const file = await reopenAfter(
      again,
      `UPDATE events SET job_id = '${jobId(tinyEvent('newer'))}' WHERE seq = 7`,
    );
    await Promise.all(
      Array.from({ length: 20_000 }, (_, index) => file.append(tinyEvent(`${index}`))),
    );
    await markAll(file);
    expect(await file.append(tinyEvent('newer'))).toBe('duplicate');
    expect(await idsOf(file)).toEqual(['old']);
  });

  test('that cannot be written down fails alone', async () => {
    const journal = await open();
    const odd = { ...tinyEvent('odd'), data: { big: 1n } } as unknown as KopeckEvent;
    const results = await Promise.allSettled([
      journal.append(tinyEvent('a')),
      journal.append(odd),
      journal.append(tinyEvent('b')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await idsOf(journal)).toEqual(['a', 'b']);
  });

  test('is never handed out with more others than Redis can take at once', async () => {
    const journal = await open();
    for (let number = 0; number < 10; number += 1) {
      await journal.append(large(String(number), 300_000));
    }
    expect(await idsOf(journal)).toEqual(['0', '1', '2', '3']);
    expect(await journal.pending(2)).toHaveLength(2);
  });
});

describe('what was acknowledged', () => {
  test('is remembered over a restart, and so is what was not', async () => {
    const journal = await open();
    for (const id of ['a', 'b', 'c']) await journal.append(tinyEvent(id));
    await journal.mark((await journal.pending(2)).map(({ seq }) => seq));

    const again = await reopen(journal);
    expect([again.id, await again.forwarded(), await idsOf(again)]).toEqual([journal.id, 2, ['c']]);
  });

  test('waits again when Redis has forgotten', async () => {
    const journal = await open();
    for (const id of ['a', 'b', 'c']) await journal.append(tinyEvent(id));
    await journal.mark((await journal.pending(2)).map(({ seq }) => seq));
    expect(await journal.unmarkAll()).toBe(2);
    expect([await journal.forwarded(), await idsOf(journal)]).toEqual([0, ['a', 'b', 'c']]);
  });

  test('goes after its hours; what was not acknowledged stays for ever', async () => {
    const journal = await open();
    await journal.append(tinyEvent('old'));
    now = new Date(now.getTime() + 24 * HOUR_MS);
    await journal.append(tinyEvent('young'));
    await markAll(journal);
    await journal.append(tinyEvent('waits'));
    await journal.prune();
    expect(await leftBy(journal)).toEqual(['old', 'young', 'waits']);

    now = new Date(now.getTime() + 1);
    const second = await open();
    await second.prune();
    expect(await leftBy(second)).toEqual(['young', 'waits']);

    now = new Date(now.getTime() + 1_000 * HOUR_MS);
    const third = await open();
    await third.prune();
    expect(await leftBy(third)).toEqual(['waits']);
  });
});

describe('a journal at its cap', () => {
  const maxBytes = 2 ** 18;

  test('refuses, holds all that it accepted and nothing else, and says so', async () => {
    const journal = await open({ maxBytes });
    const accepted = await fill(journal, 1_000);
    expect(accepted.length).toBeGreaterThan(50);
    await fill(journal, 0);
    expect(await journal.bytes()).toBeLessThanOrEqual(maxBytes);
    expect(await journal.bytes()).toBeGreaterThan(maxBytes * 0.9);
    await expect(journal.append(large('x', 20_000))).rejects.toThrow(JournalUnavailable);
    expect((await leftBy(journal)).slice(0, accepted.length)).toEqual(accepted);
  });

  test('is not writable when nothing would fit', async () => {
    const journal = await open({ maxBytes });
    expect(await journal.writable()).toBe(true);
    await fill(journal, 10);
    expect(await journal.writable()).toBe(false);
  });

  test('refuses what comes in one turn whole, and keeps none of it', async () => {
    const journal = await open({ maxBytes });
    const turn = Array.from({ length: 20 }, (_, index) =>
      journal.append(large(`${index}`, 15_000)),
    );
    const results = await Promise.allSettled(turn);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(await leftBy(journal)).toEqual([]);
  });

  test('can still be emptied, and then takes events again', async () => {
    const journal = await open({ maxBytes });
    const accepted = await fill(journal, 0);
    await markAll(journal);
    expect(await journal.unmarkAll()).toBe(accepted.length);
    await markAll(journal);
    await journal.prune();
    expect(await journal.append(tinyEvent('next'))).toBe('accepted');
    expect(await journal.writable()).toBe(true);
  });

  test('drops what was acknowledged before its time, the oldest first, and nothing that waits', async () => {
    const journal = await open({ maxBytes: 2 ** 20 });
    const accepted = await fill(journal, 100);
    const done = await journal.pending(1_100);
    await journal.mark(done.map(({ seq }) => seq));
    await journal.prune();
    await journal.prune();
    const left = await leftBy(journal);
    expect(left).toEqual(accepted.slice(1_000));
  });

  test('drops nothing before its time while there is room', async () => {
    const journal = await open({ maxBytes: 2 ** 20 });
    for (let turn = 0; turn < 30; turn += 1) await journal.append(large(`${turn}`, 10_000));
    expect(await journal.bytes()).toBeGreaterThan(300_000);
    await markAll(journal);
    await journal.prune();
    expect(await leftBy(journal)).toHaveLength(30);
  });
});

describe('a journal that cannot be written', () => {
  test('refuses when its disk is gone, and is not writable', async () => {
    const journal = await open();
    rmSync(dir, { recursive: true });
    expect(await journal.writable()).toBe(false);
    await expect(journal.append(tinyEvent('a'))).rejects.toThrow(JournalUnavailable);
  });

  test('refuses after it was closed', async () => {
    const journal = await open();
    await close(journal);
    expect(await journal.writable()).toBe(false);
    await expect(journal.append(tinyEvent('a'))).rejects.toThrow(JournalUnavailable);
  });
});
