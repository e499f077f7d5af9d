import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from './deliveries.ts';

export interface DispatchOptions {
  readonly claim: (limit: number) => Promise<readonly Delivery[]>;
  /** Delivers and writes down what became of it. */
  readonly bring: (delivery: Delivery) => Promise<void>;
  readonly concurrency: number;
  readonly onError: (error: unknown) => void;
  readonly signal: AbortSignal;
}

const LOOK_AGAIN_MS = 100;

/**
 * One run of work: brings what is due, so many at once, until nothing is left. What is slow keeps its
 * own place and no other: the free ones are filled again meanwhile.
 */
export function createDispatch(options: DispatchOptions): () => Promise<void> {
  const { claim, bring, concurrency, onError, signal } = options;
  const underWay = new Set<Promise<void>>();

  function start(delivery: Delivery): void {
    const work: Promise<void> = bring(delivery)
      .catch(onError)
      .finally(() => underWay.delete(work));
    underWay.add(work);
  }

  /** Until half of the places are free, so that one look fills many; but not for long. */
  async function room(): Promise<void> {
    const late = delay(LOOK_AGAIN_MS, 'late', { signal }).catch(() => 'late');
    do {
      const first = await Promise.race([...underWay, late]);
      if (first === 'late') return;
    } while (underWay.size > concurrency / 2);
  }

  return async () => {
    while (!signal.aborted) {
      const free = concurrency - underWay.size;
      const claimed = free > 0 ? await claim(free) : [];
      for (const delivery of claimed) start(delivery);
      if (underWay.size === 0) return;
      await room();
    }
  };
}
