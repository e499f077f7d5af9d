import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { sha256 } from '@kopeck/core/identity';

/** An EventSource can send no header, and initData must stand in no URL: a ticket stands there once. */
export interface Tickets {
  readonly issue: (user: string) => Promise<string>;
  /** Null: unknown, too old, or used before. */
  readonly redeem: (ticket: string) => Promise<string | null>;
}

export const TICKET_SECONDS = 60;

export function openTickets(redis: Redis, prefix: string): Tickets {
  const keyOf = (ticket: string): string => `${prefix}:events-crypto:ticket:${sha256(ticket)}`;
  return {
    async issue(user) {
      const ticket = randomBytes(16).toString('base64url');
      await redis.set(keyOf(ticket), user, 'EX', TICKET_SECONDS);
      return ticket;
    },
    redeem: (ticket) => redis.getdel(keyOf(ticket)),
  };
}
