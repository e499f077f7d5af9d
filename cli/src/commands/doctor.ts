import { readFileSync } from 'node:fs';
import { CHECKS } from '../doctor/checks.ts';
import { examine } from '../doctor/examine.ts';
import { asJson, asText, isHealthy } from '../doctor/print.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- doctor [--json]

Looks at the whole installation and says what is wrong and what to do. Changes nothing.`;

/** Exit code 1: an error was found. Warnings alone are 0. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  const [format, ...more] = args;
  if (more.length > 0 || (format !== undefined && format !== '--json')) throw new Advice(USAGE);

  const examined = await examine(CHECKS, withFiles(context));
  context.say(format === '--json' ? asJson(examined) : asText(examined));
  return isHealthy(examined) ? 0 : 1;
}

/** A secret may stand in a file that KEY_FILE names, as for the services. */
function withFiles(context: Context): Context {
  const find = (key: string): string | undefined => context.find(key) ?? fileOf(context, key);
  return {
    ...context,
    find,
    value: (key) => find(key) ?? context.value(key),
  };
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
