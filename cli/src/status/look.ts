import { once } from 'node:events';
import type { RowDataPacket } from 'mysql2/promise';
import { QUEUES, type QueueName } from '@kopeck/core/event';
import { isRecord } from '@kopeck/core/json';
import { openDatabase } from '@kopeck/runtime/database';
import { noLog } from '@kopeck/runtime/log';
import { openQueue } from '@kopeck/runtime/queue';
import { openImpatientRedis } from '@kopeck/runtime/redis';
import { exchange } from '../http.ts';

const ANSWER_WITHIN_MS = 2_000;

export interface ServiceStatus {
  readonly name: string;
  /** Null: nobody answers. */
  readonly ready: boolean | null;
  /** What it waits for. */
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

/** `url` is that of its metrics port. */
export async function lookAtService(name: string, url: string): Promise<ServiceStatus> {
  try {
    const { status, body } = await exchange(
      { method: 'GET', url: `${url}/ready` },
      ANSWER_WITHIN_MS,
    );
    const { checks, warnings } = isRecord(body) ? body : {};
    const failing = Object.entries(isRecord(checks) ? checks : {}).filter(([, is]) => is !== true);
    return {
      name,
      ready: status === 200,
      missing: failing.map(([check]) => check),
      warnings: Array.isArray(warnings) ? warnings.map(String) : [],
    };
  } catch {
    return { name, ready: null, missing: [], warnings: [] };
  }
}

/** Events that wait for the ledger, by queue. Null: Redis does not answer. */
export async function lookAtQueues(
  url: string,
  prefix: string,
): Promise<Readonly<Record<QueueName, number>> | null> {
  const redis = openImpatientRedis(url, noLog, ANSWER_WITHIN_MS);
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const names = Object.keys(QUEUES) as QueueName[];
    const depths = names.map(async (name) => {
      const queue = openQueue(name, redis, prefix);
      try {
        return [name, await queue.waiting()] as const;
      } finally {
        await queue.close();
      }
    });
    return Object.fromEntries(await Promise.all(depths)) as Record<QueueName, number>;
  } catch {
    return null;
  } finally {
    redis.disconnect();
  }
}

export interface BooksStatus {
  /** SEQ:HASH, for `audit --head`. */
  readonly head: string;
  /** When the newest event was booked, ISO 8601; null: none was. */
  readonly bookedAt: string | null;
  readonly openReviews: number;
}

const BOOKS = `SELECT c.seq, c.hash, i.booked_at,
    (SELECT COUNT(*) FROM reviews WHERE state = 'open') AS open
  FROM chain_head c LEFT JOIN inbox i ON i.seq = c.seq WHERE c.id = 1`;

/** Null: MariaDB does not answer, or has no books. */
export async function lookAtBooks(url: string): Promise<BooksStatus | null> {
  const pool = openDatabase(url, { connections: 1, connectTimeoutMs: ANSWER_WITHIN_MS });
  try {
    const [[row]] = await pool.query<RowDataPacket[]>({ sql: BOOKS, timeout: ANSWER_WITHIN_MS });
    if (row === undefined) return null;
    return {
      head: `${row['seq']}:${row['hash']}`,
      bookedAt: (row['booked_at'] as Date | null)?.toISOString() ?? null,
      openReviews: Number(row['open']),
    };
  } catch {
    return null;
  } finally {
    await pool.end();
  }
}
