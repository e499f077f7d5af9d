import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { giveMemoryBack } from '@kopeck/runtime/memory';

// Throws 64 MB away, and says what the heap holds: then, while it is busy, and when it has been quiet.
const LOOK_MS = 200;
const heapMb = (): number => getHeapStatistics().total_heap_size / 2 ** 20;

giveMemoryBack(LOOK_MS);
let kept: unknown[] = Array.from({ length: 2 ** 20 }, (_none, index) => ({
  index,
  next: index + 1,
}));
const filled = kept.length > 0 ? heapMb() : 0;
kept = [];

const until = performance.now() + 5 * LOOK_MS;
while (performance.now() < until) {
  const turn = performance.now() + 20;
  while (performance.now() < turn);
  await new Promise(setImmediate);
}
const busy = heapMb();
for (let looks = 0; looks < 50 && heapMb() > filled / 2; looks += 1) await delay(LOOK_MS);
process.stdout.write(JSON.stringify({ filled, busy, quiet: heapMb() }));
