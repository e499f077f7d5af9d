import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { createTestDatabase } from '@kopeck/testing/test-database';

/** A MariaDB that is stopped, with migrated and filled books in it. */
export interface Filled {
  readonly url: string;
  readonly port: number;
  readonly rootPassword: string;
}

const FOR_FILLING = [
  '--innodb-buffer-pool-size=3G',
  '--innodb-log-file-size=1G',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--innodb-fill-factor=70',
];

/** Fills a MariaDB in this folder and stops it, unless an earlier run has done so. */
export async function filledBooks(dir: string, events: number): Promise<Filled> {
  const note = join(dir, 'filled.json');
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as Filled;
  const mariadb = await startMariadb({ dir, extraArgs: FOR_FILLING });
  const { url } = await createTestDatabase(mariadb.rootUrl);
  await migrate(url);
  const pool = openDatabase(url, { connections: 1 });
  if (events > 0) await fill(pool, events, (text) => console.log(text));
  await pool.end();
  await mariadb.stop();
  const rootPassword = decodeURIComponent(new URL(mariadb.rootUrl).password);
  const done: Filled = { url, port: mariadb.port, rootPassword };
  writeFileSync(note, JSON.stringify(done), { mode: 0o600 });
  return done;
}

const CHUNK = 100_000;

/**
 * Books of that many events, by SQL alone: rows of every table, of the sizes and in the random order of
 * ids that real ones have. Their hashes are no chain; it is the look-ups that need them.
 */
async function fill(pool: Pool, events: number, say: (text: string) => void): Promise<void> {
  const tx = await pool.getConnection();
  try {
    await tx.query('SET unique_checks = 0, foreign_key_checks = 0');
    await tx.query(EVENTS_TABLE, [events]);
    for (const [table, sql] of Object.entries(ROWS))
      await fillTable(tx, table, { sql, events, say });
    await tx.query(
      `UPDATE chain_head SET seq = (SELECT COUNT(*) FROM inbox),
        hash = (SELECT hash FROM inbox ORDER BY seq DESC LIMIT 1)`,
    );
    await tx.query('DROP TABLE filling');
  } finally {
    tx.release();
  }
}

/** Reads every index once: a cache that is large enough then holds them, as it does after some hours of work. */
export async function readIndexes(pool: Pool): Promise<void> {
  const [keys] = await pool.query<RowDataPacket[]>(
    `SELECT DISTINCT table_name AS t, index_name AS k FROM information_schema.statistics
      WHERE table_schema = DATABASE() AND table_name IN (?)`,
    [Object.keys(ROWS)],
  );
  // Rows of these lie in the order in which they come: only the last page is written.
  const clustered = new Set(['inbox', 'evidence', 'postings', 'entries', 'outbox']);
  for (const { t, k } of keys)
    if (k !== 'PRIMARY' || !clustered.has(String(t)))
      await pool.query(`SELECT COUNT(*) FROM ${t} FORCE INDEX (${k})`);
}

interface Filling {
  readonly sql: string;
  readonly events: number;
  readonly say: (text: string) => void;
}

async function fillTable(
  tx: PoolConnection,
  table: string,
  { sql, events, say }: Filling,
): Promise<void> {
  const began = performance.now();
  const keys = await keysOf(tx, table);
  await alter(
    tx,
    table,
    keys.map((key) => `DROP KEY ${/`\w+`/.exec(key)?.[0]}`),
  );
  for (let from = 1; from <= events; from += CHUNK)
    await tx.query(`INSERT INTO ${table} ${sql}`, [from, from + CHUNK - 1]);
  await alter(
    tx,
    table,
    keys.map((key) => `ADD ${key}`),
  );
  say(`${table.padEnd(20)} filled in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}

/**
 * All but the primary one: built at the end they take a fraction of the time. How full their pages are is
 * --innodb-fill-factor; 70 is what rows that come in no order leave behind.
 */
async function keysOf(tx: PoolConnection, table: string): Promise<readonly string[]> {
  const [[row]] = await tx.query<RowDataPacket[]>(`SHOW CREATE TABLE ${table}`);
  return String(row?.['Create Table']).match(/(?:UNIQUE )?\bKEY `.*?\)(?=,?$)/gm) ?? [];
}

async function alter(tx: PoolConnection, table: string, changes: readonly string[]): Promise<void> {
  if (changes.length > 0) await tx.query(`ALTER TABLE ${table} ${changes.join(', ')}`);
}

/** What all rows of an event agree on. A quarter each: SBP, Stars, CryptoBot, EPN. */
const EVENTS_TABLE = `CREATE TABLE filling (
    n INT UNSIGNED NOT NULL PRIMARY KEY, event_id VARCHAR(100), source VARCHAR(16), type VARCHAR(40),
    subject VARCHAR(300), payment VARCHAR(255), at DATETIME(3)
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin AS
  SELECT seq AS n,
    CONCAT(ELT(1 + seq % 4, 'sbp', 'telegram', 'cryptobot', 'epn'), '.',
      IF(seq % 4 = 3, 'affiliate.completed', 'payment.paid'), '.', SHA1(seq)) AS event_id,
    ELT(1 + seq % 4, 'sbp', 'telegram', 'cryptobot', 'epn') AS source,
    IF(seq % 4 = 3, 'affiliate.completed', 'payment.paid') AS type,
    CONCAT(ELT(1 + seq % 4, 'payment:sbp:raiffeisen:', 'payment:telegram:7000000001:',
      'payment:cryptobot:31337:main:', 'affiliate:epn_bz:'), SHA1(CONCAT('p', seq))) AS subject,
    SHA1(CONCAT('p', seq)) AS payment,
    '2026-01-01' + INTERVAL seq * 20 SECOND AS at
  FROM seq_1_to_1000000000 WHERE seq <= ?`;

const PART = 'FROM filling WHERE n BETWEEN ? AND ?';

const ROWS = {
  inbox: `SELECT event_id, n, source, type, subject, 'main', 'booked', NULL, SHA2(n, 256), at, at, at,
      JSON_OBJECT('provider', source, 'app', '7000000001', 'paymentId', payment, 'reference',
        CONCAT('order-', n), 'paid', JSON_OBJECT('asset', 'RUB', 'amount', '100.5'),
        'payer', SHA1(CONCAT('u', n))), '{"ndnPerStar":"10"}', SHA2(CONCAT('e', n), 256),
      SHA2(CONCAT('h', n), 256) ${PART}`,
  evidence: `SELECT event_id, SUBSTRING(COMPRESS(JSON_OBJECT('method', 'POST', 'query', '', 'headers',
      JSON_OBJECT('user-agent', 'partner/1.0'), 'body', TO_BASE64(REPEAT(SHA1(n), 20)))), 5) ${PART}`,
  entries: `SELECT n, event_id, at ${PART}`,
  postings: `SELECT n, line, subject, IF(line = 0, CONCAT('provider:', source), 'sales'), 'RUB',
      IF(line = 0, 100.5, -100.5) FROM filling JOIN (SELECT 0 AS line UNION SELECT 1) l
      WHERE n BETWEEN ? AND ?`,
  payments: `SELECT subject, source, source, CONCAT('order-', n), 'paid', 'RUB', 100.5, at, payment
      ${PART} AND n % 4 <> 3`,
  orders: `SELECT 'sbp', CONCAT('order-', n), '{"grants":[],"network":"main"}', at ${PART} AND n % 4 = 0`,
  affiliate_actions: `SELECT subject, 'epn_bz', payment, n % 5000, CONCAT('order-', n), 'completed',
      'RUB', 100.5, 1, at ${PART} AND n % 4 = 3`,
  reviews: `(event_id, subject, reason, state, opened_at) SELECT event_id, subject, 'order-unknown',
      IF(n % 2 = 0, 'open', 'settled'), at ${PART} AND n % 50 = 0`,
  outbox: `(event_id, kind, payload, created_at, next_attempt_at, done_at, subject)
      SELECT event_id, 'webhook', JSON_OBJECT('id', SHA1(n), 'type', 'payment.paid', 'text',
        REPEAT(SHA1(n), 10)), at, at, at, subject ${PART} AND n % 4 <> 3`,
  outbox_subjects: `SELECT subject, 1, 'paid' ${PART} AND n % 4 <> 3`,
} as const;
