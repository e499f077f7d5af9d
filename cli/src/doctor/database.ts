import { readdirSync } from 'node:fs';
import type { RowDataPacket } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { MIGRATIONS } from '@kopeck/runtime/migrate';
import type { Context } from '../commands/command.ts';
import { error, ok, warn, type Check, type Finding } from './check.ts';

/** Is MariaDB there, does it let us in, and has it the tables of this release? */
export const DATABASE_CHECKS: readonly Check[] = [{ name: 'database', run: database }];

const CONNECT_WITHIN_MS = 5_000;
const TOLERATED_SKEW_MS = 30_000;

async function database({ value, now }: Context): Promise<readonly Finding[]> {
  const pool = openDatabase(value('DATABASE_URL'), {
    connections: 1,
    connectTimeoutMs: CONNECT_WITHIN_MS,
  });
  try {
    const [[row]] = await pool.query<RowDataPacket[]>(
      'SELECT VERSION() AS version, UTC_TIMESTAMP(3) AS clock',
    );
    const [tables] = await pool.query<RowDataPacket[]>("SHOW TABLES LIKE 'schema_migrations'");
    const applied =
      tables.length === 0
        ? []
        : (await pool.query<RowDataPacket[]>('SELECT name FROM schema_migrations'))[0];
    return [
      ok(`MariaDB ${String(row?.['version'])}`),
      schema(applied.map(({ name }) => String(name))),
      ...clock(row?.['clock'] as Date, now()),
    ];
  } catch (thrown) {
    return [refused(thrown)];
  } finally {
    await pool.end();
  }
}

function schema(applied: readonly string[]): Finding {
  const known = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));
  const missing = known.filter((name) => !applied.includes(name));
  if (missing.length === 0) return ok(`the tables are those of this release (${known.length})`);
  return error(
    `${missing.length} migrations are missing, the first is ${missing.toSorted()[0]}`,
    'Run `kopeck up`, which migrates first; `kopeck logs migrate` says what went wrong.',
  );
}

function clock(theirs: Date, ours: Date): readonly Finding[] {
  const skewMs = Math.abs(theirs.getTime() - ours.getTime());
  if (skewMs <= TOLERATED_SKEW_MS) return [];
  return [
    warn(
      `the clock of MariaDB differs from ours by ${Math.round(skewMs / 1_000)} s`,
      'Let both machines set their clocks: timedatectl set-ntp true.',
    ),
  ];
}

const RIGHTS = 'Run `kopeck up`: migrate makes the users and their rights anew from .env.';
const CURES: Readonly<Record<string, readonly [what: string, cure: string]>> = {
  ER_ACCESS_DENIED_ERROR: [
    'MariaDB refuses the user or the password',
    'See that the MARIADB_… passwords in .env are those the database was made with, then run `kopeck up`.',
  ],
  ER_DBACCESS_DENIED_ERROR: ['the user may not use the database', RIGHTS],
  ER_TABLEACCESS_DENIED_ERROR: ['the user may not read the tables', RIGHTS],
  ER_BAD_DB_ERROR: ['the database does not exist', 'Run `kopeck up`, or `kopeck restore FILE`.'],
  ER_CON_COUNT_ERROR: ['MariaDB has no connection left', 'Raise max_connections there.'],
};

function refused(thrown: unknown): Finding {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
  const [what, cure] = CURES[code] ?? [
    `MariaDB does not answer (${code})`,
    'See whether it runs (`kopeck status`), whether its disk is full, and DB_HOST and DB_PORT. Meanwhile nothing is lost.',
  ];
  return error(what, cure);
}
