import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import type { PrivateMariadb } from '@kopeck/testing/private-mariadb';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDatabase,
  createServiceUsers,
  DATABASE_GRANTS,
  DATABASE_USERS,
  databaseUser,
} from '../src/database-users.ts';
import type { DatabaseUser, DatabaseUsersOptions } from '../src/database-users.ts';
import { migrate } from '../src/migrate.ts';

// A server of its own: user names are the server's, not the database's.
let dir: string;
let mariadb: PrivateMariadb;
let options: DatabaseUsersOptions;
let open: Connection[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-users-'));
  mariadb = await startMariadb({ dir, template: inject('mariadbTemplate') });
  const password = (): string => `it's "${randomBytes(8).toString('hex')}"`;
  options = {
    rootUrl: mariadb.rootUrl,
    database: 'kopeck',
    host: '127.0.0.1',
    passwords: {
      migrate: password(),
      sbp: password(),
      admin: password(),
      ledger: password(),
      courier: password(),
      readonly: password(),
    },
  };
  await createDatabase(options);
  await migrate(urlOf('migrate'));
  await createServiceUsers(options);
});

afterEach(async () => {
  await Promise.all(open.map((connection) => connection.end()));
  open = [];
});

afterAll(async () => {
  await mariadb.stop();
  await rm(dir, { recursive: true });
});

function urlOf(service: DatabaseUser | 'migrate'): string {
  const url = new URL(`mysql://127.0.0.1:${mariadb.port}/kopeck`);
  url.username = databaseUser(service);
  url.password = encodeURIComponent(options.passwords[service] ?? '');
  return url.href;
}

async function connectAs(service: DatabaseUser): Promise<Connection> {
  const connection = await createConnection(urlOf(service));
  open.push(connection);
  return connection;
}

const DENIED = { code: expect.stringMatching(/ACCESS_DENIED/) };

test.for(DATABASE_USERS)('%s sees its own tables and no others', async (service) => {
  const [tables] = await (await connectAs(service)).query<RowDataPacket[]>('SHOW TABLES');
  const names = tables.flatMap((row) => Object.values(row).map(String)).sort();
  expect(names).toEqual(Object.keys(DATABASE_GRANTS[service]).sort());
});

test('the ledger may neither change nor delete what it has booked, even before a trigger is asked', async () => {
  const ledger = await connectAs('ledger');
  for (const table of ['inbox', 'entries', 'postings', 'evidence']) {
    await expect(ledger.query(`UPDATE ${table} SET seq = 1`)).rejects.toMatchObject(DENIED);
    await expect(ledger.query(`DELETE FROM ${table}`)).rejects.toMatchObject(DENIED);
  }
});

test('the courier may mark an alert as done, and neither invent nor remove one', async () => {
  const courier = await connectAs('courier');
  await courier.query('UPDATE outbox SET done_at = NULL');
  await expect(courier.query('DELETE FROM outbox')).rejects.toMatchObject(DENIED);
  await expect(
    courier.query("INSERT INTO outbox (event_id, kind, payload) VALUES ('a', 'alert', '{}')"),
  ).rejects.toMatchObject(DENIED);
});

test('who only reads may change nothing, and sees no raw evidence', async () => {
  const readonly = await connectAs('readonly');
  for (const table of Object.keys(DATABASE_GRANTS.readonly)) {
    await readonly.query(`SELECT * FROM ${table}`);
    await expect(readonly.query(`DELETE FROM ${table}`)).rejects.toMatchObject(DENIED);
    await expect(readonly.query(`INSERT INTO ${table} VALUES ()`)).rejects.toMatchObject(DENIED);
  }
  await expect(readonly.query('SELECT * FROM evidence')).rejects.toMatchObject(DENIED);
});

test.for(DATABASE_USERS)(
  '%s can neither read nor write what belongs to others',
  async (service) => {
    const connection = await connectAs(service);
    const own = Object.keys(DATABASE_GRANTS[service]);
    const all = new Set(Object.values(DATABASE_GRANTS).flatMap((grants) => Object.keys(grants)));
    for (const table of ['schema_migrations', ...all].filter((name) => !own.includes(name))) {
      await expect(connection.query(`SELECT * FROM ${table}`)).rejects.toMatchObject(DENIED);
      await expect(connection.query(`DELETE FROM ${table}`)).rejects.toMatchObject(DENIED);
    }
  },
);

test('nobody may change the schema', async () => {
  for (const service of DATABASE_USERS) {
    const connection = await connectAs(service);
    await expect(connection.query('CREATE TABLE mine (id INT)')).rejects.toMatchObject(DENIED);
  }
});

test('a second run takes back what is not in the table any more, and sets the passwords anew', async () => {
  const root = await createConnection(mariadb.rootUrl);
  open.push(root);
  await root.query("GRANT DELETE ON kopeck.entries TO 'kopeck_ledger'@'127.0.0.1'");
  options = { ...options, passwords: { ...options.passwords, ledger: 'another one' } };
  await createDatabase(options);
  await createServiceUsers(options);
  const ledger = await connectAs('ledger');
  await expect(ledger.query('DELETE FROM entries')).rejects.toMatchObject(DENIED);
});

test('what a service may do is never gone for a moment while the users are made again', async () => {
  const ledger = await connectAs('ledger');
  const ending = new AbortController();
  const denied: unknown[] = [];
  const working = (async () => {
    while (!ending.signal.aborted)
      await ledger
        .query('SELECT seq FROM chain_head FOR UPDATE')
        .catch((error: unknown) => denied.push(error));
  })();
  for (let turn = 0; turn < 5; turn += 1) await createServiceUsers(options);
  ending.abort();
  await working;
  expect(denied).toEqual([]);
});

test.for([
  "GRANT SELECT ON *.* TO 'kopeck_sbp'@'127.0.0.1'",
  "GRANT DROP ON kopeck.* TO 'kopeck_sbp'@'127.0.0.1'",
  "GRANT SELECT (seq) ON kopeck.inbox TO 'kopeck_sbp'@'127.0.0.1'",
  "GRANT SELECT ON kopeck.sbp_orders TO 'kopeck_sbp'@'127.0.0.1' WITH GRANT OPTION",
])('%s is taken back', async (grant) => {
  const root = await createConnection(mariadb.rootUrl);
  open.push(root);
  const grants = async (): Promise<unknown> =>
    (await root.query("SHOW GRANTS FOR 'kopeck_sbp'@'127.0.0.1'"))[0];
  const before = await grants();
  await root.query(grant);
  expect(await grants()).not.toEqual(before);
  await createServiceUsers(options);
  expect(await grants()).toEqual(before);
});
