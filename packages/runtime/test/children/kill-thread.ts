import { once } from 'node:events';
import { writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { openJournal } from '@kopeck/runtime/journal';
import { tinyEvent } from '../tiny-source.ts';

/** Appends an event to a journal on a thread of its own, and then sends that thread what it dies of. */
const [, , dir = ''] = process.argv;
const started = once(process, 'worker') as Promise<[Worker]>;
const now = (): Date => new Date();
const journal = await openJournal({ dir, maxBytes: 2 ** 24, keepHours: 24, now, ownThread: true });
writeSync(1, `${await journal.append(tinyEvent('a'))}\n`);

const [thread] = await started;
thread.postMessage(null);
setInterval(() => undefined, 1_000);
