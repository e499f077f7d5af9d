import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { openDatabase } from '@kopeck/runtime/database';
import { noLog } from '@kopeck/runtime/log';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { waitFor } from '@kopeck/testing/wait-for';
import { audit } from '../src/audit/audit.ts';
import { createBatcher } from '../src/batcher.ts';
import { bookOrBisect } from '../src/book.ts';
import { inputsFor } from '../src/inputs.ts';
import { openBooks, RATES, type Books } from './books.ts';
import { contended, shuffled } from './contended.ts';
import { modelBalances } from './model.ts';

// Workers that want the same events at once, on a MariaDB that deadlocks, is killed and comes back, with
// snapshot isolation and without. The books are held against a list that knows none of the ledger's code.
// With processes that are killed each second, and for longer: npm run contention.

const CASHBACK = 10;
const EVENTS = 200;
const WORKERS = 3;

let dir: string;
let mariadb: PrivateMariadb;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-contention-'));
  mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
});
afterAll(async () => {
  await mariadb.stop();
  await rm(dir, { recursive: true });
});

/** All of the events, in an order of its own, with whatever waits in one batch, as the ledger does it. */
async function work(url: string, events: readonly KopeckEvent[]): Promise<void> {
  const pool = openDatabase(url, { connections: 2 });
  const config = { ...RATES, EPN_CASHBACK_PERCENT: String(CASHBACK) };
  const deps = {
    pool,
    inputsFor: inputsFor.bind(null, config),
    now: () => new Date(),
  };
  const batcher = createBatcher({
    book: (batch) => bookOrBisect(deps, batch),
    log: noLog,
    signal: new AbortController().signal,
  });
  const left = [...events];
  const take = async (): Promise<void> => {
    for (let event = left.shift(); event !== undefined; event = left.shift())
      await batcher.add(event);
  };
  await Promise.all(Array.from({ length: 20 }, take));
  await pool.end();
}

async function deadlocks(): Promise<number> {
  const root = await createConnection(mariadb.rootUrl);
  const [[row]] = await root.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
  await root.end();
  return Number(row?.['Value']);
}

/** Locks what bookings write and then the head, the other way about, until it has made some deadlocks. */
async function provoke(url: string, until: () => Promise<boolean>): Promise<void> {
  const other = await createConnection(url);
  other.on('error', () => undefined);
  while (!(await until())) {
    await other.beginTransaction();
    await other.query('SELECT * FROM balances FOR UPDATE');
    await delay(5);
    await other.query('SELECT * FROM chain_head FOR UPDATE').catch(() => undefined);
    await other.rollback();
  }
  await other.end();
}

async function restart(books: Books, half: number): Promise<void> {
  await waitFor(async () => Number((await head(books))?.['seq']) >= half, { timeoutMs: 30_000 });
  await mariadb.kill();
  await mariadb.restart();
}

async function head(books: Books): Promise<RowDataPacket | undefined> {
  return (await books.query('SELECT seq FROM chain_head'))[0];
}

test.for(['OFF', 'ON'])(
  'three workers on the same events, with deadlocks and snapshot isolation %s, end in the books of the list',
  async (isolation) => {
    const root = await createConnection(mariadb.rootUrl);
    await root.query(`SET GLOBAL innodb_snapshot_isolation = ${isolation}`);
    await root.end();
    const books = await openBooks(mariadb.rootUrl);
    const list = contended(EVENTS);
    const before = await deadlocks();

    const workers = Array.from({ length: WORKERS }, (_, turn) =>
      work(books.url, shuffled(list, turn)),
    );
    await provoke(books.url, async () => (await deadlocks()) >= before + 3);
    // Once is enough: with the other isolation nothing else would happen.
    const fault = isolation === 'ON' ? restart(books, list.length / 2) : Promise.resolve();
    await Promise.all([fault, ...workers]);

    expect([...(await books.balances())].toSorted()).toEqual(modelBalances(list, CASHBACK));
    expect(await audit(books.pool)).toMatchObject({
      head: { seq: BigInt(list.length) },
      problem: null,
    });
    await books.close();
  },
);
