import { readFileSync } from 'node:fs';
import type { Context } from './commands/command.ts';

/** A secret may stand in a file that KEY_FILE names, as for the services. */
export function withSecretFiles(context: Context): Context {
  const find = (key: string): string | undefined => context.find(key) ?? fileOf(context, key);
  return { ...context, find, value: (key) => find(key) ?? context.value(key) };
}

function fileOf({ find }: Context, key: string): string | undefined {
  const file = find(`${key}_FILE`);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // A container's path, perhaps: then it is not to be had here.
    return undefined;
  }
}
