import { setTimeout as delay } from 'node:timers/promises';
import type {
  Pool,
  PoolConnection,
  QueryResult,
  ResultSetHeader,
  RowDataPacket,
} from 'mysql2/promise';
import { inTransaction, isUnavailable } from '@kopeck/runtime/database';
import { orderOf } from './order-row.ts';
import type { Order } from './order.ts';

/** Statements of one row each, or a few: what takes longer waits for a database that is not well. */
const WITHIN_MS = 5_000;

type Values = readonly (string | number | bigint | Date | null)[];

export interface Sql {
  /** How many rows the WHERE has found. */
  readonly run: (sql: string, values: Values) => Promise<number>;
  readonly select: (sql: string, values: Values) => Promise<readonly Order[]>;
  readonly rows: (sql: string, values: Values) => Promise<readonly RowDataPacket[]>;
  readonly transaction: <T>(work: (tx: PoolConnection) => Promise<T>) => Promise<T>;
}

export function createSql(pool: Pool): Sql {
  return {
    run: async (sql, values) => (await query<ResultSetHeader>(pool, sql, values)).affectedRows,
    select: async (sql, values) => (await query<RowDataPacket[]>(pool, sql, values)).map(orderOf),
    rows: (sql, values) => query<RowDataPacket[]>(pool, sql, values),
    transaction: (work) => inTransaction(pool, work, WITHIN_MS),
  };
}

/** Anything but an answer, in time: connection lost, refused, or silent. */
export function isAway(error: unknown): boolean {
  return isUnavailable(error) || isTimeout(error);
}

const PAUSE_MS = 250;

/** A short absence of the database is waited out: what fails for that begins again until the time is over. */
export async function waitingOut<T>(work: () => Promise<T>, withinMs: number): Promise<T> {
  const over = AbortSignal.timeout(withinMs);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (over.aborted || !isAway(error)) throw error;
      await delay(PAUSE_MS);
    }
  }
}

async function query<T extends QueryResult>(pool: Pool, sql: string, values: Values): Promise<T> {
  const connection = await pool.getConnection();
  try {
    const [result] = await connection.query<T>({ sql, values: [...values], timeout: WITHIN_MS });
    connection.release();
    return result;
  } catch (error) {
    giveBack(connection, error);
    throw error;
  }
}

/** The driver keeps a connection whose statement timed out, and the next one would wait behind it. */
function giveBack(connection: PoolConnection, error: unknown): void {
  if (isAway(error)) connection.destroy();
  else connection.release();
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'PROTOCOL_SEQUENCE_TIMEOUT';
}
