import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection, type Connection, type Pool, type RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { isUnavailable, openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { affiliateEvent } from '@kopeck/testing/build-event';
import { startMariadb, type PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { waitFor } from '@kopeck/testing/wait-for';
import { bookBatch, bookOrBisect } from '../src/book.ts';

// Each class of docs/DATABASE_ERROR_SCENARIOS.md, produced by a real MariaDB that nobody else uses; that what
// nobody knows is not the event's fault is in database-trouble.test.ts.

const exec = promisify(execFile);

let dir: string;
let mariadb: PrivateMariadb;
let root: Connection;
let pool: Pool;
let url: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-errors-'));
  mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
  root = await createConnection(mariadb.rootUrl);
  root.on('error', () => undefined); // it is killed with its server, on purpose
  await root.query('CREATE DATABASE kopeck');
  await root.query("CREATE USER ledger@'127.0.0.1' IDENTIFIED BY 'first'");
  await root.query("GRANT ALL ON kopeck.* TO ledger@'127.0.0.1'");
  await root.query('SET GLOBAL innodb_lock_wait_timeout = 1');
  url = `mysql://ledger:first@127.0.0.1:${mariadb.port}/kopeck`;
  await migrate(`${mariadb.rootUrl}kopeck`);
  await root.query('USE kopeck');
}, 60_000);
beforeEach(() => {
  pool = openDatabase(url);
});
afterEach(() => pool.end());
afterAll(async () => {
  await root.end();
  await mariadb.stop();
  await rm(dir, { recursive: true, force: true });
});

let count = 0;
function someEvent(orderNumber = 'ORDER-1'): KopeckEvent {
  count += 1;
  const commission = { asset: 'RUB', amount: '1' };
  return affiliateEvent('completed', { actionId: `a-${count}`, orderNumber, commission });
}

/** As the worker books: the outcome of each. */
async function book(...events: readonly KopeckEvent[]): Promise<readonly string[]> {
  const deps = { pool, inputsFor: () => ({}), now: () => new Date() };
  const verdicts = await bookOrBisect(deps, events);
  return verdicts.map((verdict) => (verdict.kind === 'new' ? verdict.outcome : verdict.kind));
}

/** The error that booking ends with. What waits for a database is never decided on an error. */
async function failureOf(
  events: readonly KopeckEvent[],
): Promise<Error & { errno?: number; code?: string }> {
  try {
    await book(...events);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was booked');
}

async function timesBooked({ id }: KopeckEvent): Promise<number> {
  const [rows] = await root.query<RowDataPacket[]>(
    `SELECT COUNT(*) AS n FROM inbox JOIN entries USING (event_id) WHERE event_id = '${id}'`,
  );
  return Number(rows[0]?.['n']);
}

/** Unavailable: nothing is written, and the same event is booked once as soon as that is possible. */
async function expectWaiting(
  event: KopeckEvent,
  { errno, code }: { errno?: number; code?: string },
  mend: () => Promise<unknown>,
): Promise<void> {
  const failure = await failureOf([event]);
  if (errno !== undefined) expect(failure.errno).toBe(errno);
  if (code !== undefined) expect(failure.code).toBe(code);
  expect(isUnavailable(failure)).toBe(true);
  await mend();
  expect(await book(event)).toEqual(['booked']);
  expect(await timesBooked(event)).toBe(1);
}

async function reconnect(): Promise<void> {
  root = await createConnection(mariadb.rootUrl);
  root.on('error', () => undefined); // it is killed with its server, on purpose
  await root.query('USE kopeck');
  await root.query('SET GLOBAL innodb_lock_wait_timeout = 1');
}

/** The connection of the ledger that is in this state. */
function connectionThat(state: RegExp): Promise<number> {
  return waitFor(async () => {
    const [rows] = await root.query<RowDataPacket[]>(
      "SELECT ID, STATE FROM information_schema.PROCESSLIST WHERE USER = 'ledger'",
    );
    return Number(rows.find((row) => state.test(String(row['STATE'])))?.['ID'] ?? 0);
  });
}

test('connection refused: it waits, and is booked when MariaDB is back', async () => {
  await mariadb.stop();
  await expectWaiting(someEvent(), { code: 'ECONNREFUSED' }, async () => {
    await mariadb.restart();
    await reconnect();
  });
}, 60_000);

test('too many connections (1040): it waits', async () => {
  await root.query('SET GLOBAL max_connections = 10');
  const others: Connection[] = [];
  await expect(async () => {
    for (;;) others.push(await createConnection(url));
  }).rejects.toMatchObject({ errno: 1040 });
  await expectWaiting(someEvent(), { errno: 1040 }, async () => {
    await Promise.all(others.map((each) => each.end()));
    await root.query('SET GLOBAL max_connections = 100');
  });
});

test('access denied (1045): it waits for the right password', async () => {
  await root.query("ALTER USER ledger@'127.0.0.1' IDENTIFIED BY 'second'");
  await expectWaiting(someEvent(), { errno: 1045 }, () =>
    root.query("ALTER USER ledger@'127.0.0.1' IDENTIFIED BY 'first'"),
  );
});

test('no such host, no such database (1049), none that is ours (1044): it waits', async () => {
  const back = (): Promise<void> => {
    pool = openDatabase(url);
    return Promise.resolve();
  };
  pool = openDatabase(url.replace('127.0.0.1', 'no-such-host.invalid'));
  await expectWaiting(someEvent(), {}, back);
  pool = openDatabase(`${mariadb.rootUrl}nowhere`);
  await expectWaiting(someEvent(), { errno: 1049 }, back);
  pool = openDatabase(url.replace('/kopeck', '/mysql'));
  await expectWaiting(someEvent(), { errno: 1044 }, back);
});

test('a right is missing (1142): it waits, and nothing is quarantined for it', async () => {
  await root.query("REVOKE ALL ON kopeck.* FROM ledger@'127.0.0.1'");
  await root.query("GRANT SELECT, UPDATE ON kopeck.* TO ledger@'127.0.0.1'");
  await expectWaiting(someEvent(), { errno: 1142 }, async () => {
    await root.query("GRANT ALL ON kopeck.* TO ledger@'127.0.0.1'");
    // A connection learns of it only when it is made.
    await pool.end();
    pool = openDatabase(url);
  });
});

test('a table is missing (1146): it waits for the migration', async () => {
  await root.query('RENAME TABLE evidence TO evidence_away');
  await expectWaiting(someEvent(), { errno: 1146 }, () =>
    root.query('RENAME TABLE evidence_away TO evidence'),
  );
});

test('read-only (1290): it waits', async () => {
  await root.query('SET GLOBAL read_only = 1');
  await expectWaiting(someEvent(), { errno: 1290 }, () => root.query('SET GLOBAL read_only = 0'));
});

test('a table is full (1114): it waits for room', async () => {
  const event = affiliateEvent('completed', { actionId: 'no-amount' });
  await root.query('SET max_heap_table_size = 16384');
  await root.query('ALTER TABLE reviews ENGINE = MEMORY');
  const filler = Array.from({ length: 200 }, (_, index) => [
    `filler-${index}`,
    's',
    'r',
    new Date(),
  ]);
  await expect(
    root.query('INSERT INTO reviews (event_id, subject, reason, opened_at) VALUES ?', [filler]),
  ).rejects.toMatchObject({ errno: 1114 });

  const failure = await failureOf([event]);
  expect(failure.errno).toBe(1114);
  expect(isUnavailable(failure)).toBe(true);
  await root.query('DELETE FROM reviews');
  await root.query('ALTER TABLE reviews ENGINE = InnoDB');
  expect(await book(event)).toEqual(['review']);
});

test('lock wait time-out (1205): the whole is done again at once', async () => {
  const event = someEvent();
  const other = await createConnection(url);
  await other.beginTransaction();
  await other.query('SELECT * FROM chain_head FOR UPDATE');
  const booking = book(event);
  await waitFor(async () => {
    const [rows] = await root.query<RowDataPacket[]>(
      "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'",
    );
    return Number(rows[0]?.['Value']) >= 2;
  });
  await other.rollback();
  await other.end();
  expect(await booking).toEqual(['booked']);
  expect(await timesBooked(event)).toBe(1);
});

test('deadlock (1213): the whole is done again at once', async () => {
  await book(someEvent());
  const event = someEvent();
  // Whoever has written less is the victim: it shall be the booking.
  await root.query('CREATE TABLE weight (n INT PRIMARY KEY) ENGINE = InnoDB');
  await root.query('SET GLOBAL innodb_lock_wait_timeout = 20');
  const heavy = await createConnection(url);
  await heavy.beginTransaction();
  await heavy.query('INSERT INTO weight VALUES ?', [Array.from({ length: 3_000 }, (_, n) => [n])]);
  await heavy.query("SELECT * FROM balances WHERE account = 'provider:epn' FOR UPDATE");
  const booking = openDatabase(url);
  const deps = { pool: booking, inputsFor: () => ({}), now: () => new Date() };
  const booked = bookOrBisect(deps, [event]);
  const isWaiting = async (): Promise<boolean> => {
    const [rows] = await root.query<RowDataPacket[]>(
      "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
    );
    return rows.length > 0;
  };
  // That table is renewed only when nobody has read it for a tenth of a second.
  await waitFor(isWaiting, { everyMs: 200 });
  await heavy.query('SELECT * FROM chain_head FOR UPDATE');
  const [deadlocks] = await root.query<RowDataPacket[]>(
    "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'",
  );
  expect(Number(deadlocks[0]?.['Value'])).toBe(1);
  await heavy.rollback();
  expect((await booked).map(({ kind }) => kind)).toEqual(['new']);
  expect(await timesBooked(event)).toBe(1);
  await Promise.all([heavy.end(), booking.end()]);
  await root.query('SET GLOBAL innodb_lock_wait_timeout = 1');
});

test('killed in COMMIT: nobody can tell whether it was booked; done again, it is booked once', async () => {
  const event = someEvent();
  await root.query('BACKUP STAGE START');
  await root.query('BACKUP STAGE BLOCK_COMMIT');
  const failure = failureOf([event]);
  const id = await connectionThat(/commit|backup/i);
  await root.query(`KILL CONNECTION ${id}`);
  await root.query('BACKUP STAGE END');
  expect(isUnavailable(await failure)).toBe(true);
  expect(['booked', 'duplicate']).toContain((await book(event))[0]);
  expect(await timesBooked(event)).toBe(1);
});

test('MariaDB killed while batches are booked: each event is booked once', async () => {
  const events = Array.from({ length: 40 }, () => someEvent());
  const [first, ...rest] = events;
  if (first === undefined) throw new Error('no event');
  const batches = rest.map((event) => book(event).catch(() => null));
  await book(first);
  await mariadb.kill();
  await Promise.all(batches);
  await mariadb.restart();
  await reconnect();
  await book(...events);
  const booked = await Promise.all(events.map(timesBooked));
  expect(booked).toEqual(events.map(() => 1));
}, 60_000);

test('the disk is full (1021): it waits for room', async ({ skip }) => {
  const disk = join(dir, 'disk');
  await mkdir(disk);
  const mounting = ['-t', 'tmpfs', '-o', 'size=64k', 'kopeck-test', disk];
  const refusal = await exec('mount', mounting).catch((error: unknown) => error);
  if (refusal instanceof Error) skip('a disk that is small enough can only be mounted by root');
  const server = await startMariadb({
    dir: join(dir, 'on-a-small-disk'),
    template: inject('mariadbTemplate'),
    extraArgs: [`--tmpdir=${disk}`, '--tmp-memory-table-size=0'],
  });
  const own = openDatabase(`${server.rootUrl}kopeck`);
  try {
    await createKopeck(server.rootUrl);
    const bookThere = (event: KopeckEvent): Promise<unknown> =>
      bookOrBisect({ pool: own, inputsFor: () => ({}), now: () => new Date() }, [event]);
    const action = { actionId: 'full', commission: { asset: 'RUB', amount: '1' } };
    await bookThere(affiliateEvent('completed', action));

    const filler = join(disk, 'somebody-else');
    await expect(async () => {
      for (;;) await appendFile(filler, Buffer.alloc(4_096));
    }).rejects.toMatchObject({ code: 'ENOSPC' });
    const rejected = affiliateEvent('rejected', action);
    const failure = await bookThere(rejected).catch((error: unknown) => error);
    expect(failure).toMatchObject({ errno: 1021 });
    expect(isUnavailable(failure)).toBe(true);

    await rm(filler);
    expect(await bookThere(rejected)).toMatchObject([{ kind: 'new', outcome: 'booked' }]);
  } finally {
    await own.end();
    await server.stop();
    await exec('umount', [disk]);
  }
}, 60_000);

async function createKopeck(rootUrl: string): Promise<void> {
  const connection = await createConnection(rootUrl);
  await connection.query('CREATE DATABASE kopeck');
  await connection.end();
  await migrate(`${rootUrl}kopeck`);
}

/** The poison alone is quarantined; MariaDB's own number says why it could not be booked. */
async function expectPoison(poison: KopeckEvent, errno: number): Promise<void> {
  const neighbours = [someEvent(), someEvent()];
  const deps = { pool, inputsFor: () => ({}), now: () => new Date() };
  await expect(bookBatch(deps, [poison])).rejects.toMatchObject({ errno });
  const outcomes = await book(poison, ...neighbours);
  expect(outcomes.toSorted()).toEqual(['booked', 'booked', 'quarantined']);
  expect(await Promise.all([poison, ...neighbours].map(timesBooked))).toEqual([0, 1, 1]);
}

test('an amount beyond what a balance can hold (1264): that event alone is quarantined', async () => {
  await root.query(
    "INSERT INTO balances VALUES ('provider:brim', 'RUB', '99999999999999999999.5')",
  );
  const commission = { asset: 'RUB', amount: '1' };
  const poison = affiliateEvent('completed', { partner: 'brim', actionId: 'brim-1', commission });
  await expectPoison(poison, 1264);
});

test('text that a column cannot hold (1366): that event alone is quarantined', async () => {
  const commission = { asset: 'RUB', amount: '1' };
  const poison = affiliateEvent('completed', { partner: 'сеть', actionId: 'c-1', commission });
  await expectPoison(poison, 1366);
});

test('a key of somebody’s own that is not met (1452): that event alone is quarantined', async () => {
  await root.query(
    `CREATE TABLE known_partners (name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY)
      ENGINE = InnoDB`,
  );
  await root.query('INSERT INTO known_partners SELECT DISTINCT partner FROM affiliate_actions');
  await root.query(
    "INSERT INTO known_partners VALUES ('epn_bz') ON DUPLICATE KEY UPDATE name = name",
  );
  const key = 'ADD CONSTRAINT operators_own FOREIGN KEY (partner) REFERENCES known_partners (name)';
  await root.query(`ALTER TABLE affiliate_actions ${key}`);
  const commission = { asset: 'RUB', amount: '1' };
  const poison = affiliateEvent('completed', { partner: 'unheard', actionId: 'u-1', commission });
  await expectPoison(poison, 1452);
  await root.query('ALTER TABLE affiliate_actions DROP CONSTRAINT operators_own');
});

test('what a trigger of somebody’s own refuses (1644): that event alone is quarantined', async () => {
  const poison = someEvent();
  await root.query(
    `CREATE TRIGGER operators_own BEFORE INSERT ON affiliate_actions FOR EACH ROW
      IF NEW.action_id = '${actionOf(poison)}' THEN SIGNAL SQLSTATE '45000'; END IF`,
  );
  await expectPoison(poison, 1644);
  await root.query('DROP TRIGGER operators_own');
});

function actionOf({ data }: KopeckEvent): string {
  return 'actionId' in data ? data.actionId : '';
}

test('a key that is there already (1062), which nobody expects: that event alone is quarantined', async () => {
  const poison = someEvent();
  await root.query('INSERT INTO evidence VALUES (?, ?)', [poison.id, 'somebody else was here']);
  await expectPoison(poison, 1062);
});

test('text that is too long (1406): that event alone is quarantined', async () => {
  await expectPoison(someEvent('x'.repeat(256)), 1406);
});
