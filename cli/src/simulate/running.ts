import { findRunningSuite } from '../suite/kopeck-env.ts';

/** What the person who typed the command can mend. Said without a stack. */
export class SimulationError extends Error {
  override name = 'SimulationError' as const;
}

/** The suite that a partner is played against. */
export interface Target {
  /** A value of kopeck.env; of a list of secrets the current one. */
  readonly value: (key: string) => string;
}

export function findTarget(home: string): Target {
  const running = findRunningSuite(home);
  if (running === null) {
    throw new SimulationError(
      `No suite is running in ${home}. Start one with \`npm start\` in another terminal, and wait for its list of URLs.`,
    );
  }
  return {
    value(key) {
      const value = running.values[key];
      if (value === undefined) throw new SimulationError(`${key} is missing in kopeck.env`);
      return /(TOKEN|SECRET|KEY)/.test(key) ? (value.split(',')[0] ?? '').trim() : value;
    },
  };
}
