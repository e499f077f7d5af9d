import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { openJournal } from '@kopeck/runtime/journal';
import { tinyEvent } from '../tiny-source.ts';

/** Appends an event to a journal on a thread of its own, and then sends that thread what it dies of. */
const [, , dir = ''] = process.argv;
const journal = await openJournal({
  ...{ dir, maxBytes: 2 ** 24, keepHours: 24, now: () => new Date() },
  ownThread: true,
});
writeSync(1, `${await journal.append(tinyEvent('a'))}\n`);

const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function killing(this: Worker): void {
  postMessage.call(this, null);
};
setInterval(() => undefined, 1_000);
await journal.waiting();
