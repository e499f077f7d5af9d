import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openLocked, type JournalFile } from './journal-file.ts';

export interface Opened {
  readonly own: JournalFile;
  /** The ids of those whose rows it has taken over: nobody will open them again. */
  readonly adopted: readonly string[];
}

/**
 * The first journal of the folder that no living process holds, or a new one, with the rows of every
 * other one that nobody holds: a copy that was removed before it had drained loses nothing.
 */
export function openFolder(dir: string, maxBytes: number): Opened {
  mkdirSync(dir, { recursive: true });
  return whileAlone(dir, () => {
    const [own, ...others] = unlockedIn(dir, maxBytes);
    if (own !== undefined) {
      const adopted = others.filter((other) => isAdopted(own, other));
      return { own, adopted: adopted.map(({ id }) => id) };
    }
    return { own: openLocked(join(dir, `${randomUUID()}.sqlite`), maxBytes), adopted: [] };
  });
}

function isAdopted(own: JournalFile, other: JournalFile): boolean {
  try {
    own.takeOver(other);
    return true;
  } catch {
    // No room for its rows here: it stays as it is, and the next start tries again.
    other.close();
    return false;
  }
}

function unlockedIn(dir: string, maxBytes: number): readonly JournalFile[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.sqlite'))
    .toSorted()
    .flatMap((name) => {
      try {
        return [openLocked(join(dir, name), maxBytes)];
      } catch (cause) {
        if (isBusy(cause)) return [];
        // Not passed over: it may hold events that were acknowledged to a partner.
        throw new Error(`${name} is damaged, or cannot be read and written`, { cause });
      }
    });
}

const WAIT_MS = 60_000;

/**
 * Those who open journals in one folder do it one after the other: whoever adopts a file removes it,
 * and nobody may open it just then. The lock ends with its process.
 */
function whileAlone<T>(dir: string, work: () => T): T {
  const lock = new DatabaseSync(join(dir, 'opening.lock'), { timeout: WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return work();
  } finally {
    lock.close();
  }
}

const SQLITE_BUSY = 5;
/** The higher bits of a code only say more about it. */
const PRIMARY_CODE = 0xff;

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    (Number(error.errcode) & PRIMARY_CODE) === SQLITE_BUSY
  );
}
