import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { writePrivateEnv } from './env-file.ts';
import { isRunning } from './pids.ts';

/** Where a running suite is found: every URL, port, token and secret. There only while all is ready. */
export function kopeckEnvFile(home: string): string {
  return join(home, 'kopeck.env');
}

export function writeKopeckEnv(home: string, values: Readonly<Record<string, string>>): void {
  writePrivateEnv(kopeckEnvFile(home), values);
}

export function removeKopeckEnv(home: string): void {
  rmSync(kopeckEnvFile(home), { force: true });
}

export interface RunningSuite {
  readonly pid: number;
  /** What kopeck.env says. */
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** Null: nothing runs there. A file that a killed suite has left behind says nothing. */
export function findRunningSuite(home: string): RunningSuite | null {
  const file = kopeckEnvFile(home);
  if (!existsSync(file)) return null;
  const values = parseEnv(readFileSync(file, 'utf8'));
  const pid = Number(values['KOPECK_PID']);
  return isRunning(pid, values['KOPECK_COMMAND'] ?? '') ? { pid, values } : null;
}
