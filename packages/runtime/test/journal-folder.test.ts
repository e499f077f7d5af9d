import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { jobId } from '@kopeck/core/identity';
import { JournalUnavailable, openJournal, type Journal } from '@kopeck/runtime/journal';
import { tinyEvent } from './tiny-source.ts';

let dir: string;
let opened: Journal[];
let children: ChildProcess[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kopeck-folder-'));
  opened = [];
  children = [];
});
afterEach(async () => {
  for (const child of children) await kill(child);
  for (const journal of opened) await journal.close();
  rmSync(dir, { recursive: true });
});

async function open(maxBytes = 2 ** 24): Promise<Journal> {
  const journal = await openJournal({ dir, maxBytes, keepHours: 24, now: () => new Date() });
  opened.push(journal);
  return journal;
}

async function close(journal: Journal): Promise<void> {
  await journal.close();
  opened = opened.filter((other) => other !== journal);
}

function start(name: string, ...args: readonly string[]): ChildProcess {
  const file = join(import.meta.dirname, 'children', name);
  const child = spawn(process.execPath, [file, dir, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function linesOf({ stdout }: ChildProcess): Promise<string[]> {
  if (stdout === null) throw new Error('no stdout');
  const lines: string[] = [];
  for await (const line of createInterface(stdout)) lines.push(line);
  return lines;
}

/** Has a journal of so many events written by a process that dies with the last answer. */
function abandoned(prefix: string, count: number): Promise<string[]> {
  return linesOf(start('append-and-die.ts', prefix, String(count)));
}

interface Held {
  readonly id: string;
  readonly jobs: readonly string[];
}

/** Starts a process that opens a journal of the folder and keeps it. */
async function hold(): Promise<Held> {
  const { stdout } = start('hold-journal.ts');
  if (stdout === null) throw new Error('no stdout');
  const [line] = (await once(createInterface(stdout), 'line')) as [string];
  return JSON.parse(line) as Held;
}

function files(): readonly string[] {
  return readdirSync(dir).filter((name) => name.endsWith('.sqlite'));
}

async function jobsOf(journal: Journal): Promise<readonly string[]> {
  return (await journal.pending(1_000)).map(({ event }) => jobId(event));
}

test('what was answered is on disk when the process dies with its answer', async () => {
  const answered = await Promise.all([abandoned('once-', 1), abandoned('often-', 3)]);
  expect(answered.map((jobs) => jobs.length)).toEqual([1, 3]);
  expect([...(await jobsOf(await open()))].toSorted()).toEqual(answered.flat().toSorted());
});

test('a journal that somebody holds is left to him, and another one is opened', async () => {
  const answered = await abandoned('a', 2);
  const held = await hold();
  expect(held.jobs).toEqual(answered);

  const own = await open();
  expect(own.id).not.toBe(held.id);
  expect([await jobsOf(own), files().length]).toEqual([[], 2]);
  await own.append(tinyEvent('b'));
});

test('what nobody holds any more is adopted whole, and its file is removed', async () => {
  const first = await abandoned('a', 2);
  const own = await open(); // takes the first file over
  const second = await abandoned('b', 3);
  await close(own);
  expect(files()).toHaveLength(2);

  const journal = await open();
  expect([...(await jobsOf(journal))].toSorted()).toEqual([...first, ...second].toSorted());
  expect(files()).toHaveLength(1);
  expect(readdirSync(dir).filter((name) => /-(wal|shm)$/.test(name))).toEqual(
    files().map((name) => `${name}-wal`),
  );
});

// The rows are taken over, and of the other's three files so many are gone.
test.each([0, 1, 2])(
  'who is killed in an adoption, with %i files removed, loses nothing and doubles nothing',
  async (removed) => {
    const first = await abandoned('a', 2);
    const own = await open();
    const second = await abandoned('b', 3);
    await close(own);

    const child = start('die-in-adoption.ts', String(removed));
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect([...(await jobsOf(await open()))].toSorted()).toEqual([...first, ...second].toSorted());
    expect(files()).toHaveLength(1);
  },
);

test('what was acknowledged in an adopted journal is forwarded once more', async () => {
  const dead = await open();
  await dead.append(tinyEvent('acknowledged'));
  await dead.mark([1]);
  const living = await open();
  await living.append(tinyEvent('other'));
  await living.mark([1]);
  await close(dead);
  await close(living);

  expect(await jobsOf(await open())).toHaveLength(1);
});

test('a journal for which there is no room stays as it is, until there is', async () => {
  const [first, second] = [await open(), await open()];
  for (let number = 0; number < 10; number += 1) {
    const evidence = 'x'.repeat(100_000);
    await first.append({ ...tinyEvent(`first ${number}`), evidence });
    await second.append({ ...tinyEvent(`second ${number}`), evidence });
  }
  await close(first);
  await close(second);

  const own = await open(2 ** 20);
  expect([await own.waiting(), files().length]).toEqual([10, 2]);
  await close(own);
  expect([await (await open()).waiting(), files().length]).toEqual([20, 1]);
});

test('several that open at the same moment share out what there is, and lose none of it', async () => {
  const known = await Promise.all(['a', 'b', 'c', 'd'].map((prefix) => abandoned(prefix, 5)));
  const held = await Promise.all([hold(), hold(), hold()]);

  expect(held.flatMap(({ jobs }) => jobs).toSorted()).toEqual(known.flat().toSorted());
  expect(new Set(held.map(({ id }) => id)).size).toBe(3);
  expect(files()).toHaveLength(3);
});

test('a damaged journal is named, not passed over: it may hold what was acknowledged', async () => {
  writeFileSync(join(dir, 'damaged.sqlite'), 'this is no database'.repeat(1_000));
  await expect(open()).rejects.toThrow(JournalUnavailable);
  await expect(open()).rejects.toThrow(/damaged\.sqlite is damaged/);
});
