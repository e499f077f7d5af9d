import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { waitFor } from '@kopeck/testing/wait-for';

export interface ServiceProcess {
  readonly name: string;
  /** Everything it has written so far. */
  readonly log: () => string;
  /** SIGKILL: no goodbye, no flush. */
  readonly kill: () => Promise<void>;
  /** SIGTERM. */
  readonly stop: () => Promise<void>;
}

const ROOT = join(import.meta.dirname, '..', '..');

/** Runs services/<name>/main.ts with exactly this environment, and returns when it listens. */
export async function startProcess(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [join(ROOT, 'services', name, 'main.ts')], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const write = (chunk: Buffer): void => void (written += chunk.toString());
  child.stdout.on('data', write);
  child.stderr.on('data', write);
  const exited = once(child, 'exit');

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await exited;
  };
  await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${written.slice(-2_000)}`);
      return written.includes('"listening"');
    },
    { timeoutMs: 60_000, what: `${name} to listen` },
  );
  return { name, log: () => written, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}
