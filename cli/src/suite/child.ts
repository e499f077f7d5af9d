import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { hasGone } from './pids.ts';
import { ROOT } from './settings.ts';

export interface ChildRecipe {
  readonly name: string;
  /** For our Node. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly onLine: (line: string) => void;
}

export interface Child {
  readonly pid: number;
  /** Resolves to 'exit code 1', 'SIGKILL' and the like, when it has gone and its output is read. */
  readonly gone: Promise<string>;
  /** SIGTERM, and SIGKILL if that was not enough. */
  readonly stop: (withinMs: number) => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

const KILL_WITHIN_MS = 5_000;

/** Its output goes to the log file, line by line also to `onLine`. Throws when it cannot be spawned. */
export function spawnChild({ name, args, env, logFile, onLine }: ChildRecipe): Child {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started`);
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(log, { end: false });
    readLines(stream, onLine);
  }
  const gone = ended(child).finally(() => log.end());

  return {
    pid,
    gone,
    kill: (signal) => void child.kill(signal),
    async stop(withinMs) {
      child.kill('SIGTERM');
      if (!(await hasGone(pid, withinMs))) child.kill('SIGKILL');
      await hasGone(pid, KILL_WITHIN_MS);
    },
  };
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}
