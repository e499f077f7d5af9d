import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

const LOOK_MS = 10_000;
/** Busy for less of the time than this, between two looks: nobody waits. */
const QUIET = 0.05;
const WORTH_BYTES = 2 ** 24;
/** A trickle of requests fills the young heap again and again, and must not wait for us each time. */
const REST_MS = 60_000;

/**
 * V8 clears up when it wants room, and a service at rest wants none: after its start or a burst it
 * would hold several times what it needs. So a quiet one is cleared up where that gains 16 MB, once a
 * minute at most; it takes some 50 ms. V8's own flags for a small heap do it all the time, and halve
 * what a receiver can take. Nothing is done without Node's `--expose-gc`, which the image has.
 */
export function giveMemoryBack(lookMs = LOOK_MS): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  let before = performance.eventLoopUtilization();
  let kept = 0;
  let notBefore = 0;

  const look = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > QUIET || performance.now() < notBefore) return;
    if (getHeapStatistics().total_heap_size - kept < WORTH_BYTES) return;
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    kept = getHeapStatistics().total_heap_size;
    notBefore = performance.now() + REST_MS;
  };
  setInterval(look, lookMs).unref();
}
