import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { giveMemoryBack } from '@kopeck/runtime/memory';

// Throws some 100 MB away, and says what the heap holds: then, while it is busy, and when it has been
// quiet; and the same again, soon after.
const LOOK_MS = 200;
const heapMb = (): number => getHeapStatistics().total_heap_size / 2 ** 20;

function fill(): number {
  const kept = Array.from({ length: 2 ** 20 }, (_none, index) => ({ index, next: index + 1 }));
  return kept.length > 0 ? heapMb() : 0;
}

async function beBusy(): Promise<void> {
  const until = performance.now() + 5 * LOOK_MS;
  while (performance.now() < until) {
    const turn = performance.now() + 20;
    while (performance.now() < turn);
    await new Promise(setImmediate);
  }
}

giveMemoryBack(LOOK_MS);
const filled = fill();
await beBusy();
const busy = heapMb();
for (let looks = 0; looks < 50 && heapMb() > filled / 2; looks += 1) await delay(LOOK_MS);
const quiet = heapMb();

const refilled = fill();
await delay(5 * LOOK_MS);
process.stdout.write(JSON.stringify({ filled, busy, quiet, refilled, soonAfter: heapMb() }));
