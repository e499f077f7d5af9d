import { randomUUID } from 'node:crypto';
import type { Closing } from '@kopeck/runtime/shutdown';
import { performRefresh, type PerformDeps } from './perform-refresh.ts';

/** Refreshes that nobody waits for. */
export interface Background {
  /** Returns at once. A purchase that was tried lately is left alone, whoever asks how often. */
  readonly refresh: (purchaseId: string) => void;
}

const AT_ONCE = 4;
/** Between two tries for the same purchase, by this copy. */
const PAUSE_MS = 60_000;
/** Purchases that are remembered: thousands of clients must not fill our memory. */
const MOST_TRIES = 10_000;

/** Who finds all places taken is left out: clients come again, and a bulk is what refreshes all. */
export function openBackground(deps: PerformDeps & { readonly closing: Closing }): Background {
  const { log, now, closing } = deps;
  const triedAt = new Map<string, number>();
  const running = new Set<Promise<void>>();
  closing.add('background refreshes', () => Promise.all(running));

  async function run(purchaseId: string): Promise<void> {
    try {
      await performRefresh(deps, { purchaseId, operationId: randomUUID() });
    } catch (error) {
      log.warn('a refresh in the background failed', { purchaseId, error });
    }
  }

  return {
    refresh(purchaseId) {
      const at = now().getTime();
      if (running.size >= AT_ONCE || at - (triedAt.get(purchaseId) ?? -Infinity) < PAUSE_MS) return;
      if (triedAt.size >= MOST_TRIES) triedAt.clear();
      triedAt.set(purchaseId, at);
      const work = run(purchaseId).finally(() => running.delete(work));
      running.add(work);
    },
  };
}
