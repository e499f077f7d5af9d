import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/** `.local/run/<name>.pid`: for whoever wants to kill one, and for the start after a crash. */
export interface PidFiles {
  readonly write: (name: string, pid: number) => void;
  readonly remove: (name: string) => void;
  /** Ends what an earlier suite has left running. Returns the names of what it had to end. */
  readonly endLeftovers: (
    commandOf: (name: string) => string,
    withinMs: number,
  ) => Promise<readonly string[]>;
}

export function openPidFiles(home: string): PidFiles {
  const dir = join(home, 'run');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fileOf = (name: string): string => join(dir, `${name}.pid`);

  return {
    write: (name, pid) => writeFileSync(fileOf(name), `${pid}\n`),
    remove: (name) => rmSync(fileOf(name), { force: true }),
    async endLeftovers(commandOf, withinMs) {
      const names = readdirSync(dir)
        .filter((file) => file.endsWith('.pid'))
        .map((file) => file.slice(0, -'.pid'.length));
      const left = names.filter((name) => {
        const pid = Number(readFileSync(fileOf(name), 'utf8'));
        return isRunning(pid, commandOf(name));
      });
      await Promise.all(
        left.map((name) => end(Number(readFileSync(fileOf(name), 'utf8')), withinMs)),
      );
      for (const name of names) rmSync(fileOf(name), { force: true });
      return left;
    },
  };
}

/** Whether this process lives and is the one we mean: pids are used again. */
export function isRunning(pid: number, command: string): boolean {
  return command !== '' && isAlive(pid) && commandLineOf(pid).includes(command);
}

export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** It has ended; only its parent has not asked yet, and in a container nobody may ever ask. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until the process has gone. False: it is still there. */
export async function hasGone(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}

async function end(pid: number, withinMs: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return; // gone already
    }
    if (await hasGone(pid, withinMs)) return;
  }
}

/** Linux without ps, and everybody else. Empty when it cannot be known. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    try {
      return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    } catch {
      return '';
    }
  }
}
