import { writeSync } from 'node:fs';
import { jobId } from '@kopeck/core/identity';
import { openJournal } from '@kopeck/runtime/journal';
import { tinyEvent } from '../tiny-source.ts';

/** Appends so many events to a journal in the folder, tells of each, and kills itself with the last answer. */
const [, , dir = '', prefix = '', count = '1'] = process.argv;
const journal = await openJournal({ dir, maxBytes: 2 ** 24, keepHours: 24, now: () => new Date() });

for (let number = 1; number <= Number(count); number += 1) {
  const event = tinyEvent(`${prefix}${number}`);
  await journal.append(event);
  writeSync(1, `${jobId(event)}\n`);
}
process.kill(process.pid, 'SIGKILL');
