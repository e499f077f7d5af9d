import { ConfigError } from './config.ts';
import { giveMemoryBack } from './memory.ts';
import { UnsafeRedisError } from './redis.ts';

/** Errors whose message says all that the operator needs; a stack would only hide it. */
const SPEAKING = [ConfigError, UnsafeRedisError];

/** The last line of every main.ts: what keeps a service from starting is said plainly, and exit code 1. */
export function runMain(start: () => Promise<unknown>): void {
  start()
    .then(() => giveMemoryBack())
    .catch((error: unknown) => {
      const speaks = SPEAKING.some((known) => error instanceof known);
      const text = speaks && error instanceof Error ? error.message : describe(error);
      process.stderr.write(`${text}\n`, () => process.exit(1));
    });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}\n${error.stack ?? ''}`;
}
