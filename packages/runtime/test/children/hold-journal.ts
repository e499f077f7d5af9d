import { writeSync } from 'node:fs';
import { jobId } from '@kopeck/core/identity';
import { openJournal } from '@kopeck/runtime/journal';

/** Opens a journal in the folder, tells what it holds, and keeps it until it is killed. */
const [, , dir = ''] = process.argv;
const journal = await openJournal({ dir, maxBytes: 2 ** 24, keepHours: 24, now: () => new Date() });
const jobs = (await journal.pending(1_000)).map(({ event }) => jobId(event));
writeSync(1, `${JSON.stringify({ id: journal.id, jobs })}\n`);
process.stdin.resume();
