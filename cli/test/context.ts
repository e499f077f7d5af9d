import { Advice, type Context } from '../src/commands/command.ts';

/** What a command of a test gets of the world, and what it has said. */
export interface Told extends Context {
  readonly said: string[];
}

export function contextWith(
  values: Readonly<Record<string, string>>,
  now = (): Date => new Date(),
): Told {
  const said: string[] = [];
  return {
    said,
    find: (key) => values[key],
    value(key) {
      const value = values[key];
      if (value === undefined) throw new Advice(`Please set ${key}.`);
      return value;
    },
    envFiles: [],
    say: (text) => void said.push(text),
    now,
  };
}
