import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { isFree } from '@kopeck/testing/ports';
import { waitFor } from '@kopeck/testing/wait-for';
import { PORTS, ROOT } from '../src/suite/settings.ts';

export interface Run {
  readonly child: ChildProcess;
  /** Everything it has written so far, to both streams. */
  readonly output: () => string;
  readonly code: Promise<number | null>;
}

/** A command of the CLI, as npm runs it: on our Node, in the folder of the repository. */
export function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Run {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, code };
}

export async function runToEnd(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ output: string; code: number | null }> {
  const run = runCli(args, env);
  const code = await run.code;
  return { output: run.output(), code };
}

export async function waitForSuite(home: string, run: Run): Promise<Record<string, string>> {
  const file = join(home, 'kopeck.env');
  await waitFor(() => existsSync(file) || run.child.exitCode !== null, {
    timeoutMs: 60_000,
    what: 'kopeck.env to appear',
  });
  if (!existsSync(file)) throw new Error(`npm start has failed:\n${run.output()}`);
  return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
}

/** All ports of the suite, moved by it, are free and below those of outgoing connections. */
export async function freeOffset(): Promise<string> {
  return waitFor(async () => {
    const offset = randomInt(6_000, 15_000);
    const free = await Promise.all(Object.values(PORTS).map((port) => isFree(port + offset)));
    return free.every(Boolean) && String(offset);
  });
}
