import { asDocument, asEnvExample } from '../configuration/print.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- env-example [--docs]

Prints .env.example, or with --docs docs/configuration.md, from the schemas of all services.`;

export async function run(args: readonly string[], { say }: Context): Promise<number> {
  const [flag, ...more] = args;
  if (more.length > 0 || (flag !== undefined && flag !== '--docs')) throw new Advice(USAGE);
  const text = flag === '--docs' ? asDocument() : asEnvExample();
  say(text.trimEnd());
  return 0;
}
