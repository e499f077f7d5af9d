import { createPool } from 'mysql2/promise';
import type { Pool, PoolConnection } from 'mysql2/promise';
import { within } from './within.ts';

export interface DatabaseOptions {
  readonly connections?: number;
  readonly connectTimeoutMs?: number;
}

/**
 * Decimals and big numbers come as text, and times are UTC both ways. A bound text in SQL arithmetic
 * becomes a DOUBLE in this driver: amounts are added only by VALUES() or through a CAST.
 */
export function openDatabase(url: string, options: DatabaseOptions = {}): Pool {
  return createPool({
    uri: url,
    timezone: 'Z',
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
    bigNumberStrings: true,
    connectionLimit: options.connections ?? 4,
    connectTimeout: options.connectTimeoutMs ?? 3_000,
    enableKeepAlive: true,
  });
}

/** Deadlock, lock wait time-out, and "record has changed since last read": the whole is done again. */
const RETRIED_ERRNOS: readonly number[] = [1213, 1205, 1020];
const ATTEMPTS = 10;

/**
 * READ COMMITTED; all or nothing. The work may run several times, so it must have no effect outside
 * the transaction. The connection is not reused after a failure whose rollback failed too, nor after
 * `withinMs`, where a server that is silent is as good as away. Default: it is waited for.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (tx: PoolConnection) => Promise<T>,
  withinMs?: number,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const connection = await pool.getConnection();
    try {
      const attempted = attemptTransaction(connection, work);
      return await (withinMs === undefined
        ? attempted
        : within(attempted, withinMs, () => dropped(connection)));
    } catch (error) {
      if (attempt >= ATTEMPTS || !RETRIED_ERRNOS.includes(errnoOf(error))) throw error;
    }
  }
}

async function attemptTransaction<T>(
  connection: PoolConnection,
  work: (tx: PoolConnection) => Promise<T>,
): Promise<T> {
  try {
    await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await connection.beginTransaction();
    const result = await work(connection);
    await connection.commit();
    connection.release();
    return result;
  } catch (error) {
    try {
      await connection.rollback();
      connection.release();
    } catch {
      connection.destroy();
    }
    throw error;
  }
}

function dropped(connection: PoolConnection): Error {
  connection.destroy();
  return Object.assign(new Error('the database does not answer'), { code: 'ETIMEDOUT' });
}

/**
 * 1054, 1142, 1143, 1146: migrations or grants are behind; 1317: somebody has stopped the statement. That is
 * nobody's event's fault.
 */
const UNAVAILABLE_ERRNOS: ReadonlySet<number> = new Set([
  1020, 1021, 1040, 1041, 1042, 1043, 1044, 1045, 1049, 1053, 1054, 1077, 1079, 1114, 1129, 1130,
  1142, 1143, 1146, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1213, 1226, 1290, 1317, 1836, 1927,
  2002, 2003, 2005, 2006, 2013, 2055, 1969, 3024, 4151,
]);

const UNAVAILABLE_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_ENQUEUE_AFTER_QUIT',
]);

/** The database is away, full or refuses everybody: the work is right and will succeed later. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    UNAVAILABLE_CODES.has(code) ||
    UNAVAILABLE_ERRNOS.has(errnoOf(error)) ||
    /closed state/.test(error.message)
  );
}

/**
 * SQLSTATEs of what a statement brought: values that no column takes (22), keys and checks that they break
 * (23), what a trigger refuses (45). By number: a value that is cut, a row and a packet that are too large.
 */
const REFUSED_STATES = /^(22|23|45)/;
const REFUSED_ERRNOS: ReadonlySet<number> = new Set([1265, 1118, 1153]);

/**
 * The error tells of the database, its connection or our SQL, and not of what was to be written: other data
 * would have met it as well. Whatever the server says counts, unless it is known to refuse values.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isUnavailable(error) || 'syscall' in error || ('fatal' in error && error.fatal === true))
    return true;
  if (!('sqlState' in error)) return false;
  return !REFUSED_STATES.test(String(error.sqlState)) && !REFUSED_ERRNOS.has(errnoOf(error));
}

const DUPLICATE_ERRNO = 1062;

export function isDuplicateKey(error: unknown): boolean {
  return errnoOf(error) === DUPLICATE_ERRNO;
}

function errnoOf(error: unknown): number {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? error.errno
    : 0;
}
