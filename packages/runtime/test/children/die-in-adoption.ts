import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Opens a journal of the folder, and kills itself when it is about to remove one file more than so many. */
const [, , dir = '', removed = '0'] = process.argv;
const { rmSync } = fs;
let left = Number(removed);
fs.rmSync = (...args) => {
  if (left === 0) process.kill(process.pid, 'SIGKILL');
  left -= 1;
  rmSync(...args);
};
syncBuiltinESMExports();

const { openJournal } = await import('@kopeck/runtime/journal');
await openJournal({ dir, maxBytes: 2 ** 24, keepHours: 24, now: () => new Date() });
