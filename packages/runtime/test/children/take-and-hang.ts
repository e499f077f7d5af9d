import { writeSync } from 'node:fs';
import { noLog } from '@kopeck/runtime/log';
import { openWorker } from '@kopeck/runtime/queue';
import { openRedis } from '@kopeck/runtime/redis';

/** A worker that takes a job, says so, and never finishes it. */
const [, , url = '', prefix = ''] = process.argv;
const worker = openWorker<unknown>(
  'events-epn',
  (_data, job) => {
    writeSync(1, `${job.id}\n`);
    return new Promise<never>(() => {});
  },
  { redis: openRedis(url, noLog), prefix, concurrency: 5, lockMs: 400, stalledMs: 200 },
  noLog,
);
await worker.waitUntilReady();
writeSync(1, 'ready\n');
