import { renameSync, writeFileSync } from 'node:fs';

/** Whole or not at all, and for its owner only. A shell can source it, and dotenv reads it too. */
export function writePrivateEnv(file: string, values: Readonly<Record<string, string>>): void {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${quoted(value)}\n`);
  const unfinished = `${file}.tmp`;
  writeFileSync(unfinished, lines.join(''), { mode: 0o600 });
  renameSync(unfinished, file);
}

export function quoted(value: string): string {
  return /^[\w./:@%+,=-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
