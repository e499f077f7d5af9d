import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface WaitOptions {
  /** Default 30 s: for a machine with too much to do, since nothing waits so long that comes. */
  readonly timeoutMs?: number;
  /** Pause between two looks, default 20 ms. */
  readonly everyMs?: number;
  /** What is awaited, for the error message: 'the order to be paid'. */
  readonly what?: string;
}

type Falsy = false | null | undefined | 0 | 0n | '';

/**
 * Looks again and again until `check` gives something truthy, and returns that. A check that throws
 * has not succeeded yet; what it threw last is in the error, so a check may be a row of `expect`s
 * that ends in `return true`.
 */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 30_000, everyMs = 20, what = 'the condition' }: WaitOptions = {},
): Promise<Exclude<Awaited<T>, Falsy>> {
  const deadline = performance.now() + timeoutMs;
  let last: Look<T>;
  do {
    last = await look(check);
    if (last.value) return last.value as Exclude<Awaited<T>, Falsy>;
    await delay(everyMs);
  } while (performance.now() < deadline);

  throw new Error(`waited ${timeoutMs} ms for ${what}; ${describe(last)}`, { cause: last.error });
}

interface Look<T> {
  readonly value?: Awaited<T>;
  readonly error?: unknown;
}

async function look<T>(check: () => T | Promise<T>): Promise<Look<T>> {
  try {
    return { value: await check() };
  } catch (error) {
    return { error };
  }
}

function describe<T>({ value, error }: Look<T>): string {
  if (error === undefined) return `it was last ${inspect(value)}`;
  return `the last look failed: ${error instanceof Error ? error.message : inspect(error)}`;
}
