import type { Redis } from 'ioredis';
import { isRecord } from '@kopeck/core/json';

/** What the statistics listed when they were asked last, for whoever may read the books to compare. */
export interface Listed {
  readonly askedAt: string;
  /** The first day of status changes that was asked for, YYYY-MM-DD. */
  readonly from: string;
  readonly actionIds: readonly string[];
}

/** Among the keys that epn may write: it has no login to the books, and the books none to EPN. */
function keyOf(prefix: string): string {
  return `${prefix}:events-epn:listed`;
}

export async function writeListed(redis: Redis, prefix: string, listed: Listed): Promise<void> {
  await redis.set(keyOf(prefix), JSON.stringify(listed));
}

/** Null: they were never asked, or Redis has forgotten. */
export async function readListed(redis: Redis, prefix: string): Promise<Listed | null> {
  const text = await redis.get(keyOf(prefix));
  const value: unknown = text === null ? null : JSON.parse(text);
  return isRecord(value) ? (value as unknown as Listed) : null;
}
