import { join } from 'node:path';
import { readSettings, ROOT } from '../suite/settings.ts';
import { findRunningSuite } from '../suite/kopeck-env.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the person at the keyboard can mend. Said without a stack; exit code 2. */
export class Advice extends Error {
  override name = 'Advice' as const;
}

/** What a command gets of the world. */
export interface Context {
  /** From the environment, .env or the suite that runs here; undefined where nobody says it. */
  readonly find: (key: string) => string | undefined;
  /** As find, but throws Advice that names the key. */
  readonly value: (key: string) => string;
  /** Files of KEY=value lines that this machine's configuration may stand in, .env first. */
  readonly envFiles: readonly string[];
  readonly say: (text: string) => void;
  readonly now: () => Date;
}

export interface Command {
  /** Returns the exit code: 0 fine, 1 the answer is bad news, 2 asked wrongly. */
  readonly run: (args: readonly string[], context: Context) => Promise<number>;
}

/** The environment wins over .env, and both over a suite of `npm start`. */
export function contextOf(environment: Environment): Context {
  const { given, home } = readSettings(environment);
  const running = findRunningSuite(home)?.values ?? {};
  const find = (key: string): string | undefined => given[key] ?? running[key];
  return {
    find,
    value(key) {
      const value = find(key);
      if (value !== undefined) return value;
      throw new Advice(`Please set ${key}, or start a suite with \`npm start\`.`);
    },
    envFiles: [join(ROOT, '.env'), join(home, 'secrets.env')],
    say: (text) => console.log(text),
    now: () => new Date(),
  };
}
