import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { openJournal } from '@kopeck/runtime/journal';
import { migrate } from '@kopeck/runtime/migrate';
import { paymentEvent } from '@kopeck/testing/build-event';
import { freePort } from '@kopeck/testing/ports';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';
import { SECRETS } from '../test/rig/secrets.ts';
import { startProcess } from '../test/rig/service-process.ts';
import { numberOf } from '../test/rig/number-option.ts';
import { mariadbSettings } from './mariadb-settings.ts';
import { record } from './result.ts';

// How long a backlog takes to drain, from a receiver's journal to the last commit, with the processes and
// the servers as they run: `npm run bench:drain -- [--events 20000] [--cache 1536M]`. The baseline is the
// filling of the journal itself; --cache is another size of MariaDB's cache than that of deploy/mariadb.

const { values } = parseArgs({
  options: { events: { type: 'string', default: '20000' }, cache: { type: 'string' } },
});
const EVENTS = numberOf('events', values.events);
const AT_ONCE = 500;
const LOOK_MS = 1_000;
/** Room for any backlog: this is about time, not about the cap. */
const JOURNAL_MAX_BYTES = 16 * 2 ** 30;

const dir = await mkdtemp(join(tmpdir(), 'kopeck-drain-'));
const mariadb = await startMariadb({
  dir: join(dir, 'mariadb'),
  extraArgs: mariadbSettings(values.cache),
});
const redis = await startRedis({ dir: join(dir, 'redis'), password: 'bench' });
const database = await createConnection(mariadb.rootUrl);
await database.query('CREATE DATABASE kopeck');
await database.query('USE kopeck');
const DATABASE_URL = `${mariadb.rootUrl}kopeck`;
await migrate(DATABASE_URL);

try {
  const filled = await fill();
  const drained = await drain();
  record({
    bench: 'drain',
    what: `a backlog of ${EVENTS.toLocaleString('en-US')} events, from the journal to the last commit`,
    value: EVENTS / drained,
    unit: 'events/s',
    more: { 'all s': drained },
    baseline: { what: 'filling the journal/s', value: EVENTS / filled },
  });
} finally {
  await database.end();
  await Promise.all([redis.stop(), mariadb.stop()]);
  await rm(dir, { recursive: true, force: true });
}

async function fill(): Promise<number> {
  const began = performance.now();
  const journal = await openJournal({
    dir: join(dir, 'journal'),
    maxBytes: JOURNAL_MAX_BYTES,
    keepHours: 24,
    now: () => new Date(),
  });
  for (let first = 0; first < EVENTS; first += AT_ONCE) {
    const count = Math.min(AT_ONCE, EVENTS - first);
    const indexes = Array.from({ length: count }, (_, offset) => first + offset);
    await Promise.all(indexes.map((index) => journal.append(payment(index))));
  }
  await journal.close();
  return (performance.now() - began) / 1_000;
}

function payment(index: number) {
  const reference = `{"telegram_id":${1 + (index % 5_000)},"amount_ndn":1500}`;
  const paid = { asset: 'XTR', amount: '150' };
  const facts = { source: 'telegram', paymentId: `drain-${index}`, paid, reference } as const;
  const body = Buffer.from(JSON.stringify({ index, update: 'x'.repeat(300) })).toString('base64');
  return { ...paymentEvent('payment.paid', facts), evidence: JSON.stringify({ body }) };
}

async function drain(): Promise<number> {
  const env = { ...SECRETS, REDIS_URL: redis.url, DATABASE_URL };
  const began = performance.now();
  const services = await Promise.all([
    startProcess('crypto', {
      ...env,
      CRYPTO_PORT: String(await freePort()),
      CRYPTO_METRICS_PORT: String(await freePort()),
      JOURNAL_DIR: join(dir, 'journal'),
      JOURNAL_MAX_BYTES: String(JOURNAL_MAX_BYTES),
    }),
    startProcess('ledger', {
      ...env,
      LEDGER_PORT: String(await freePort()),
      LEDGER_METRICS_PORT: String(await freePort()),
    }),
  ]);
  let booked = 0;
  let told = 0;
  while (booked < EVENTS) {
    await delay(LOOK_MS);
    const [rows] = await database.query<RowDataPacket[]>('SELECT seq FROM chain_head');
    booked = Number(rows[0]?.['seq']);
    const percent = Math.floor((booked * 100) / EVENTS);
    if (percent < told + 10) continue;
    told = percent - (percent % 10);
    console.log(`${told} % after ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  }
  const seconds = (performance.now() - began) / 1_000;
  for (const service of services) await service.stop();
  return seconds;
}
