import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IMAGE_FLAGS } from './image-flags.ts';

export interface ServiceProcess {
  readonly name: string;
  readonly pid: number | undefined;
  /** Everything it has written so far. */
  readonly log: () => string;
  /** By itself or by us. */
  readonly hasEnded: () => boolean;
  /** Whether a signal of ours did it. */
  readonly wasEnded: () => boolean;
  /** SIGKILL: no goodbye, no flush. */
  readonly kill: () => Promise<void>;
  /** SIGTERM. */
  readonly stop: () => Promise<void>;
}

const LISTENS_WITHIN_MS = 180_000;
const ROOT = join(import.meta.dirname, '..', '..');

/** Runs services/<name>/main.ts with exactly this environment, and returns when it listens. */
export async function startProcess(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const script = join(ROOT, 'services', name, 'main.ts');
  const child = spawn(process.execPath, [...IMAGE_FLAGS, script], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const write = (chunk: Buffer): void => void (written += chunk.toString());
  child.stdout.on('data', write);
  child.stderr.on('data', write);
  const exited = once(child, 'exit');
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;

  let isEnding = false;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded()) return;
    isEnding = true;
    child.kill(signal);
    await exited;
  };
  const deadline = performance.now() + LISTENS_WITHIN_MS;
  while (!written.includes('"listening"')) {
    if (hasEnded()) throw new Error(`${name} ended: ${written.slice(-2_000)}`);
    if (performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} does not listen: ${written.slice(-2_000)}`);
    }
    await delay(20);
  }
  return {
    name,
    pid: child.pid,
    log: () => written,
    hasEnded,
    wasEnded: () => isEnding,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}
