import type { Redis } from 'ioredis';

export interface LedgerWatch {
  /** As it was within the last second; false while nobody can tell. */
  readonly isDown: () => boolean;
  readonly stop: () => void;
}

const EVERY_MS = 1_000;

/** The key that the ledger keeps alive while its database does not answer. */
export function ledgerDownKey(prefix: string): string {
  return `${prefix}:ledger:down`;
}

/**
 * Keeps in memory what the key says, so that no answer waits for Redis. The connection must be one
 * that fails at once: a Redis that is away says nothing about the database.
 */
export function watchLedger(redis: Pick<Redis, 'exists'>, key: string): LedgerWatch {
  let isDown = false;
  let isAsking = false;

  async function look(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      isDown = (await redis.exists(key)) === 1;
    } catch {
      isDown = false;
    } finally {
      isAsking = false;
    }
  }

  void look();
  const timer = setInterval(() => void look(), EVERY_MS);
  return { isDown: () => isDown, stop: () => clearInterval(timer) };
}
