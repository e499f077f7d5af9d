import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JournalUnavailable, openJournal, type Journal } from '@kopeck/runtime/journal';
import { idsOf, nameOf, rowsIn } from './journal-rows.ts';
import { tinyEvent } from './tiny-source.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kopeck-holder-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

let now = new Date('2026-10-05T12:00:00Z');

function open(folder: string, ownThread: boolean, maxBytes = 2 ** 24): Promise<Journal> {
  return openJournal({ dir: folder, maxBytes, keepHours: 0, now: () => now, ownThread });
}

type Kept = Map<string, 'waits' | 'done'>;

/** What may happen to a journal, and to the model of it: what it keeps, in the order of arrival. */
const STEPS: Readonly<Record<string, (journal: Journal, kept: Kept, id: string) => unknown>> = {
  async append(journal, kept, id) {
    expect(await journal.append(tinyEvent(id))).toBe(kept.has(id) ? 'duplicate' : 'accepted');
    kept.set(id, 'waits');
  },
  async mark(journal, kept) {
    const rows = await journal.pending(2);
    if (rows.length > 0) await journal.mark(rows.map(({ seq }) => seq));
    for (const { event } of rows) kept.set(nameOf(event), 'done');
  },
  async forget(journal, kept) {
    await journal.unmarkAll();
    for (const id of kept.keys()) kept.set(id, 'waits');
  },
  async prune(journal, kept) {
    await journal.prune();
    for (const [id, state] of kept) {
      if (state === 'waits') break;
      kept.delete(id);
    }
  },
};

test.each([
  ['here', false, 30],
  ['on a thread of its own', true, 10],
])(
  'held %s, a journal loses nothing and invents nothing, whatever happens in whatever order',
  async (_where, ownThread, numRuns) => {
    const name = fc.constantFrom('append', 'append', 'mark', 'forget', 'prune', 'restart');
    const step = fc.record({ name, id: fc.nat(2).map(String) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
        const folder = mkdtempSync(join(dir, 'run-'));
        let journal = await open(folder, ownThread);
        const kept: Kept = new Map();
        for (const next of steps) {
          now = new Date(now.getTime() + 1);
          if (next.name === 'restart') {
            await journal.close();
            journal = await open(folder, ownThread);
          } else await STEPS[next.name]?.(journal, kept, next.id);

          const waiting = [...kept].filter(([, state]) => state === 'waits').map(([id]) => id);
          expect(await idsOf(journal)).toEqual(waiting);
        }
        await journal.close();
        expect(rowsIn(folder)).toEqual([...kept.keys()]);
      }),
      { numRuns },
    );
  },
);

describe('a journal on a thread of its own', () => {
  test('writes what comes beside its fsync next, and in the order of arrival', async () => {
    const journal = await open(dir, true);
    const names = Array.from({ length: 500 }, (_, index) => `${index}`);
    const appended: Promise<string>[] = [];
    for (const [index, name] of names.entries()) {
      appended.push(journal.append(tinyEvent(name)));
      if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(await Promise.all(appended))).toEqual(new Set(['accepted']));
    expect(await idsOf(journal)).toEqual(names);
    // Each of several questions gets its own answer.
    const asked = [journal.waiting(), journal.forwarded()];
    expect(await Promise.all(asked)).toEqual([500, 0]);
    await journal.close();
  });

  test('leaves the event loop alone while it opens and writes', async () => {
    const holder = await open(dir, false);
    const opening = open(dir, true);
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 1);
    const journal = await opening;
    clearInterval(counting);
    expect(turns).toBeGreaterThan(0);
    expect(journal.id).not.toBe(holder.id);
    await Promise.all([journal.close(), holder.close()]);
  });

  test('keeps what was appended right before it was closed, and takes nothing after', async () => {
    const journal = await open(dir, true);
    await journal.append(tinyEvent('kept'));
    await journal.close();
    await expect(journal.append(tinyEvent('late'))).rejects.toThrow(JournalUnavailable);
    await expect(journal.waiting()).rejects.toThrow('the journal is closed');
    expect(await journal.writable()).toBe(false);
    expect(rowsIn(dir)).toEqual(['kept']);
  });

  test('refuses with the words of what is wrong with the file', async () => {
    const journal = await open(dir, true, 2 ** 17);
    const large = { ...tinyEvent('large'), evidence: 'x'.repeat(2 ** 17) };
    const refusal = await journal.append(large).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(JournalUnavailable);
    expect((refusal as Error).cause).toMatchObject({ message: 'the journal has reached its cap' });
    expect(await journal.append(tinyEvent('small'))).toBe('accepted');
    await journal.close();
  });

  test('that is damaged is named when it is opened', async () => {
    writeFileSync(join(dir, 'damaged.sqlite'), 'this is no database'.repeat(1_000));
    await expect(open(dir, true)).rejects.toThrow(JournalUnavailable);
    await expect(open(dir, true)).rejects.toThrow(/damaged\.sqlite is damaged/);
  });

  test('takes its process with it when its thread dies: whoever starts that again is better off', () => {
    const child = join(import.meta.dirname, 'children', 'kill-thread.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [child, dir], {
      encoding: 'utf8',
    });
    expect([stdout, status]).toEqual(['accepted\n', 1]);
    expect(stderr).toContain('TypeError');
    expect(rowsIn(dir)).toEqual(['a']);
  });
});
