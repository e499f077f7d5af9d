// Preloaded by bench:sustained --live into each service: what its heap holds after a full collection, each
// half minute, as lines of JSON in the file that this module's URL names. What grows there is a leak;
// what grows beside it is memory that V8 has not given back.
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY_MS = 30_000;
const BYTES_PER_MB = 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const file = new URL(import.meta.url).searchParams.get('to');

function look() {
  collect();
  const mb = process.memoryUsage().heapUsed / BYTES_PER_MB;
  appendFileSync(file, `${JSON.stringify({ pid: process.pid, atMs: Date.now(), mb })}\n`);
}

look();
setInterval(look, EVERY_MS).unref();
