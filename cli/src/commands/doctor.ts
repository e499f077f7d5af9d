import { CHECKS } from '../doctor/checks.ts';
import { examine } from '../doctor/examine.ts';
import { asJson, asText, isHealthy } from '../doctor/print.ts';
import { withSecretFiles } from '../secret-files.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- doctor [--json]

Looks at the whole installation and says what is wrong and what to do. Changes nothing.`;

/** Exit code 1: an error was found. Warnings alone are 0. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  const [format, ...more] = args;
  if (more.length > 0 || (format !== undefined && format !== '--json')) throw new Advice(USAGE);

  const examined = await examine(CHECKS, withSecretFiles(context));
  context.say(format === '--json' ? asJson(examined) : asText(examined));
  return isHealthy(examined) ? 0 : 1;
}
