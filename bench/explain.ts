import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { explainEvent, findEvents } from '../services/ledger/src/explain.ts';
import { numberOf } from '../test/rig/number-option.ts';
import { filledBooks } from './fill-books.ts';
import { record } from './result.ts';

// How long `kopeck explain` takes when the books are full, with the small cache of a small host:
// `npm run bench:explain -- [--events 1000000] [--looks 200] [--dir FOLDER]`; a folder that is named is kept, and
// found full the next time. What is printed is one whole answer: by
// whatever a person calls it, from the look-up to the answer of every event that is found.

const { values } = parseArgs({
  options: { events: { type: 'string' }, looks: { type: 'string' }, dir: { type: 'string' } },
});
const EVENTS = numberOf('events', values.events ?? '1000000');
const LOOKS = numberOf('looks', values.looks ?? '200');
const AIM_MS = 50;
async function main(): Promise<void> {
  const dir = values.dir ?? (await mkdtemp(join(tmpdir(), 'kopeck-bench-')));
  try {
    const { url, port, rootPassword } = await filledBooks(dir, EVENTS);
    // Started again it has 64 MB of cache, and nothing in it.
    const mariadb = await startMariadb({ dir, port, rootPassword });
    try {
      await withPool(url, measure);
    } finally {
      await mariadb.stop();
    }
  } finally {
    if (values.dir === undefined) await rm(dir, { recursive: true });
  }
}

async function withPool(url: string, work: (pool: Pool) => Promise<void>): Promise<void> {
  const pool = openDatabase(url, { connections: 4 });
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}

/** How a person may call an event, and the column that knows such names. */
const NAMES = {
  'event id': 'SELECT event_id AS name FROM inbox WHERE seq = ?',
  'payment id': 'SELECT payment_id AS name FROM payments LIMIT 1 OFFSET ?',
  order: 'SELECT order_id AS name FROM orders LIMIT 1 OFFSET ?',
  'affiliate action': 'SELECT action_id AS name FROM affiliate_actions LIMIT 1 OFFSET ?',
  'order of an action': 'SELECT order_number AS name FROM affiliate_actions LIMIT 1 OFFSET ?',
  'unknown to us': "SELECT CONCAT('nobody-', ?) AS name",
} as const;

async function measure(pool: Pool): Promise<void> {
  console.log(`\n${'milliseconds an answer'.padEnd(24)} first  median     p99     max  events`);
  let worst = 0;
  for (const [what, sql] of Object.entries(NAMES)) {
    const names = await namesOf(pool, sql);
    const times: number[] = [];
    let found = 0;
    for (const name of names) {
      const began = performance.now();
      const ids = await findEvents(pool, name);
      await Promise.all(ids.map((id) => explainEvent(pool, id)));
      times.push(performance.now() - began);
      found += ids.length;
    }
    const [first = 0] = times;
    const sorted = times.toSorted((a, b) => a - b);
    const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
    worst = Math.max(worst, at(0.99));
    const figures = [first, at(0.5), at(0.99), at(1)].map((each) => each.toFixed(1).padStart(7));
    console.log(`${what.padEnd(23)}${figures.join(' ')} ${String(found).padStart(7)}`);
    record({
      bench: 'explain',
      what: `${what}, of ${EVENTS.toLocaleString('en-US')} events`,
      value: at(0.99),
      unit: 'ms, p99',
      baseline: { what: 'aim, ms', value: AIM_MS },
    });
  }
  console.log(`\nslowest p99: ${worst.toFixed(1)} ms (aim: ${AIM_MS})`);
  process.exitCode = worst <= AIM_MS ? 0 : 1;
}

/** Spread over all of the books, so that each look-up meets pages that no other has read. */
async function namesOf(pool: Pool, sql: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const place = 1 + Math.floor((look * 0.2 * EVENTS) / LOOKS);
    const [[row]] = await pool.query<RowDataPacket[]>(sql, [place]);
    if (row !== undefined) names.push(String(row['name']));
  }
  return names.filter((name) => name !== '');
}

await main();
