import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import {
  inTransaction,
  isDatabaseTrouble,
  isDuplicateKey,
  isUnavailable,
  openDatabase,
} from '@kopeck/runtime/database';
import { openImpatientDatabase } from '@kopeck/runtime/impatient-database';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  pool = openDatabase(database.url);
  await pool.query(`CREATE TABLE stock (
    id INT PRIMARY KEY, amount DECIMAL(38,18) NOT NULL, big BIGINT NULL, at DATETIME(3) NULL)`);
});
beforeEach(async () => {
  await pool.query('DELETE FROM stock');
  await pool.query('INSERT INTO stock (id, amount) VALUES (1, 0), (2, 0)');
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function amounts(): Promise<readonly unknown[]> {
  const [rows] = await pool.query<RowDataPacket[]>('SELECT amount + 0 AS a FROM stock ORDER BY id');
  return rows.map((row) => Number(row['a']));
}

function addOne(tx: PoolConnection, id: number) {
  return tx.query('UPDATE stock SET amount = amount + 1 WHERE id = ?', [id]);
}

/** What a server reports under this number, without a disaster to cause it. */
function raise(tx: Pick<Pool, 'query'>, errno: number) {
  return tx.query(`SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'made up'`);
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('nothing failed');
}

const codeOf = (error: unknown): unknown => (error as { code: string }).code;

test('gives decimals and large numbers as text, and times in UTC both ways', async () => {
  const at = new Date('2026-10-05T23:30:00.123Z');
  await pool.query('UPDATE stock SET amount = ?, big = ?, at = ? WHERE id = 1', [
    '0.000000000000000001',
    '9007199254740993',
    at,
  ]);
  const [rows] = await pool.query<RowDataPacket[]>(
    'SELECT amount, big, at, CAST(at AS CHAR) AS wall, (SELECT COUNT(*) FROM stock) AS small FROM stock WHERE id = 1',
  );
  expect(rows[0]).toMatchObject({
    amount: '0.000000000000000001',
    big: '9007199254740993',
    at,
    wall: '2026-10-05 23:30:00.123',
    small: '2',
  });
});

describe('a transaction', () => {
  test('is all', async () => {
    const result = await inTransaction(pool, async (tx) => {
      await addOne(tx, 1);
      await addOne(tx, 2);
      return 'done';
    });
    expect([result, await amounts()]).toEqual(['done', [1, 1]]);
  });

  test('or nothing, and then runs only once', async () => {
    let runs = 0;
    const work = inTransaction(pool, async (tx) => {
      runs += 1;
      await addOne(tx, 1);
      throw new TypeError('a mistake of ours');
    });
    await expect(work).rejects.toThrow('a mistake of ours');
    expect([runs, await amounts()]).toEqual([1, [0, 0]]);
  });

  test('sees what others have committed while it ran', async () => {
    await inTransaction(pool, async (tx) => {
      const read = 'SELECT amount + 0 AS a FROM stock WHERE id = 1';
      const [before] = await tx.query<RowDataPacket[]>(read);
      await pool.query('UPDATE stock SET amount = 5 WHERE id = 1');
      const [after] = await tx.query<RowDataPacket[]>(read);
      expect([Number(before[0]?.['a']), Number(after[0]?.['a'])]).toEqual([0, 5]);
    });
  });

  test('that is the victim of a deadlock is done again, whole', async () => {
    const runs = { a: 0, b: 0 };
    let arrived = 0;
    let bothHoldOne: () => void;
    const met = new Promise<void>((resolve) => {
      bothHoldOne = resolve;
    });
    const crosswise = (name: 'a' | 'b', first: number, second: number) =>
      inTransaction(pool, async (tx) => {
        runs[name] += 1;
        await addOne(tx, first);
        arrived += 1;
        if (arrived === 2) bothHoldOne();
        await met;
        await addOne(tx, second);
      });

    await Promise.all([crosswise('a', 1, 2), crosswise('b', 2, 1)]);
    expect(runs.a + runs.b).toBe(3);
    expect(await amounts()).toEqual([2, 2]);
  });

  test('that waited too long for a lock is done again, whole', async () => {
    const holder = await pool.getConnection();
    await holder.beginTransaction();
    await addOne(holder, 2);
    let runs = 0;
    await inTransaction(pool, async (tx) => {
      runs += 1;
      if (runs === 3) await holder.commit();
      await addOne(tx, 1);
      await tx.query('SET innodb_lock_wait_timeout = 0'); // not at all
      await addOne(tx, 2);
    });
    holder.release();
    expect([runs, await amounts()]).toEqual([3, [1, 2]]);
  });

  test('whose record has changed since it was read is done again', async () => {
    let runs = 0;
    await inTransaction(pool, async (tx) => {
      runs += 1;
      await addOne(tx, 1);
      if (runs === 1) await raise(tx, 1020);
    });
    expect([runs, await amounts()]).toEqual([2, [1, 0]]);
  });

  test('is not done again for ever', async () => {
    let runs = 0;
    const error = await errorOf(
      inTransaction(pool, async (tx) => {
        runs += 1;
        await raise(tx, 1213);
      }),
    );
    expect([runs, error]).toMatchObject([10, { errno: 1213 }]);
  });

  test.each([
    ['a duplicate key', 'INSERT INTO stock (id, amount) VALUES (1, 0)', 1062],
    ['a mistake in the SQL', 'SELEC 1', 1064],
    ['a value that is missing', 'INSERT INTO stock (id, amount) VALUES (3, NULL)', 1048],
  ])('is not done again for %s', async (_what, sql, errno) => {
    let runs = 0;
    const error = await errorOf(
      inTransaction(pool, async (tx) => {
        runs += 1;
        await addOne(tx, 1);
        await tx.query(sql);
      }),
    );
    expect([runs, error]).toMatchObject([1, { errno }]);
    expect([isUnavailable(error), isDuplicateKey(error)]).toEqual([false, errno === 1062]);
    expect(await amounts()).toEqual([0, 0]);
  });

  test('whose connection is cut leaves a pool that still works', async () => {
    const narrow = openDatabase(database.url, { connections: 1 });
    const error = await errorOf(
      inTransaction(narrow, async (tx) => {
        await addOne(tx, 1);
        await pool.query(`KILL ${tx.threadId}`);
        await addOne(tx, 2);
      }),
    );
    expect(isUnavailable(error)).toBe(true);
    await inTransaction(narrow, (tx) => addOne(tx, 2));
    expect(await amounts()).toEqual([0, 1]);
    await narrow.end();
  });
});

describe('unavailable', () => {
  test.each([
    1020, 1021, 1040, 1053, 1054, 1114, 1146, 1129, 1203, 1205, 1213, 1290, 1317, 1927, 1969,
  ])('is a database that reports %s', async (errno) => {
    expect(isUnavailable(await errorOf(raise(pool, errno)))).toBe(true);
  });

  test('is one that does not know us (yet)', async () => {
    const url = new URL(database.url);
    url.password = 'wrong';
    const stranger = openDatabase(url.href);
    expect(isUnavailable(await errorOf(stranger.query('SELECT 1')))).toBe(true);
    await stranger.end();

    url.href = database.url;
    url.pathname = '/kopeck_not_there';
    const lost = openDatabase(url.href);
    expect(isUnavailable(await errorOf(lost.query('SELECT 1')))).toBe(true);
    await lost.end();
  });

  test.each([new Error('x'), new TypeError('x'), 'ECONNREFUSED', null, undefined, { errno: 2013 }])(
    'is not what any mistake means: %s',
    (error) => {
      expect(isUnavailable(error)).toBe(false);
      expect(isDuplicateKey(error)).toBe(false);
    },
  );
});

describe('trouble of the database', () => {
  test.each([1020, 1030, 1105, 1136, 1205, 1213, 1317, 1364, 1969])(
    'is what it reports as %s, whatever was to be written',
    async (errno) => {
      expect(isDatabaseTrouble(await errorOf(raise(pool, errno)))).toBe(true);
    },
  );

  test.each([
    ['SELEC 1', true],
    ['INSERT INTO stock VALUES (7)', true],
    ['INSERT INTO nowhere VALUES (7)', true],
    ['INSERT INTO stock (id, amount) VALUES (1, 0)', false],
    ['INSERT INTO stock (id, amount) VALUES (3, NULL)', false],
    ["INSERT INTO stock (id, amount) VALUES (3, 'x')", false],
    ['INSERT INTO stock (id, amount) VALUES (3, 1e30)', false],
    ["SIGNAL SQLSTATE '45000'", false],
  ])('or of the values that it was given: %s', async (sql, isTrouble) => {
    expect(isDatabaseTrouble(await errorOf(pool.query(sql)))).toBe(isTrouble);
  });

  test.each([new Error('x'), new TypeError('x'), 'ECONNREFUSED', null])(
    'is no mistake of our own: %s',
    (error) => {
      expect(isDatabaseTrouble(error)).toBe(false);
    },
  );
});

describe('a MariaDB that is killed', () => {
  let dir: string;
  let cleanUp: (() => Promise<void>)[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kopeck-database-'));
    cleanUp = [() => rm(dir, { recursive: true })];
  });
  afterEach(async () => {
    for (const step of cleanUp.toReversed()) await step();
  });

  test('is unavailable in every way of asking it, and works again when it is back', async () => {
    const mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
    cleanUp.push(mariadb.stop);
    const own = openDatabase(mariadb.rootUrl);
    cleanUp.push(() => own.end());

    const idle = await own.getConnection();
    const transaction = inTransaction(own, async (tx) => {
      await mariadb.kill();
      await tx.query('SELECT 1');
    });
    const asked = own.query('SELECT SLEEP(60)');
    const errors = await Promise.all([errorOf(asked), errorOf(transaction)]);
    errors.push(await errorOf(idle.query('SELECT 1')));
    idle.release();
    errors.push(await errorOf(own.query('SELECT 1')));
    expect(errors.map((error) => [error, isUnavailable(error)])).toEqual(
      errors.map((error) => [error, true]),
    );

    await mariadb.restart();
    await inTransaction(own, (tx) => tx.query('SELECT 1'));
  });

  test('that hangs is unavailable each time it is asked impatiently, and works again when it is back', async () => {
    const mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
    cleanUp.push(mariadb.stop);
    const impatient = openImpatientDatabase(mariadb.rootUrl, 300);
    cleanUp.push(() => Promise.resolve(impatient.close()));
    // It may be too impatient for a machine with much to do.
    const answer = (sql: string) => waitFor(() => impatient.ask(sql), { what: sql });
    expect(await answer('SELECT 1 AS one')).toEqual([{ one: 1 }]);

    await mariadb.pause();
    const asked = [1, 2, 3].map(() => errorOf(impatient.ask('SELECT 1')));
    const codes = (await Promise.all(asked)).map((error) => codeOf(error));
    mariadb.resume();
    expect(codes).toEqual(['PROTOCOL_SEQUENCE_TIMEOUT', 'ETIMEDOUT', 'ETIMEDOUT']);
    expect(await answer('SELECT 2 AS two')).toEqual([{ two: 2 }]);
  });

  test('that hangs ends a transaction in time, and holds up no other that wants its connection', async () => {
    const mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
    cleanUp.push(mariadb.stop);
    const own = openDatabase(mariadb.rootUrl, { connections: 1, connectTimeoutMs: 500 });
    cleanUp.push(() => own.end());
    const ask = (tx: PoolConnection) => tx.query('SELECT 1');
    await inTransaction(own, ask);

    await mariadb.pause();
    const asked = [1, 2].map(() => errorOf(inTransaction(own, ask, 300)));
    const errors = await Promise.all(asked);
    mariadb.resume();
    expect(errors.map(isUnavailable)).toEqual([true, true]);
    await inTransaction(own, ask);
  });
});
