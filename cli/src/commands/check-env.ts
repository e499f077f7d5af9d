import { text } from 'node:stream/consumers';
import { ConfigError, loadConfig } from '@kopeck/runtime/config';
import { SERVICES } from '../suite/services.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: docker compose config --format json | kopeck check-env

Holds what Compose would hand to each service against that service's own schema.`;

interface Composed {
  readonly services?: Readonly<Record<string, { readonly environment?: Environment } | undefined>>;
}
type Environment = Readonly<Record<string, string | null>>;

/** Exit code 1: some service would not start. Every mistake is named, and no value shown. */
export async function run(args: readonly string[], { say }: Context): Promise<number> {
  if (args.length > 0) throw new Advice(USAGE);
  const { services = {} } = parsed(await text(process.stdin));
  const mistakes = SERVICES.flatMap(({ name, schema }) =>
    mistakesOf(() => loadConfig(schema, unescaped(services[name]?.environment ?? {}))),
  );
  if (mistakes.length > 0) say([...new Set(mistakes)].join('\n'));
  return mistakes.length === 0 ? 0 : 1;
}

function parsed(json: string): Composed {
  try {
    return JSON.parse(json) as Composed;
  } catch {
    throw new Advice(USAGE);
  }
}

/** Compose writes a dollar sign twice, so that what it prints can be read by itself again. */
function unescaped(environment: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [key, value?.replaceAll('$$', '$')]),
  );
}

function mistakesOf(load: () => unknown): readonly string[] {
  try {
    load();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1);
    throw error;
  }
}
