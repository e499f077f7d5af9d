import type { Redis } from 'ioredis';

/** An update as it came, on its way to the bot's own webhook. */
export interface Forwarded {
  readonly body: string;
  /** ISO 8601: after a day nobody waits for it any more. */
  readonly receivedAt: string;
}

/** Updates in Redis, one list a chat: the order within a chat is kept, and no chat waits for another. */
export interface ForwardQueue {
  readonly put: (chat: string, update: Forwarded) => Promise<void>;
  /** Chats that have something due, each given to nobody else until it is settled or the lease ends. */
  readonly claim: (limit: number, now: Date) => Promise<readonly string[]>;
  /** The oldest update of a chat. */
  readonly first: (chat: string) => Promise<Forwarded | null>;
  /** The oldest one is done with; what comes after it is due at once. */
  readonly drop: (chat: string, now: Date) => Promise<void>;
  readonly postpone: (chat: string, until: Date) => Promise<void>;
  /** How many updates there are, of all chats. */
  readonly waiting: () => Promise<number>;
}

const LEASE_MS = 60_000;

/** Due chats are put off by the lease in the same step in which they are read. */
const CLAIM = `
local chats = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, chat in ipairs(chats) do redis.call('ZADD', KEYS[1], ARGV[2], chat) end
return chats`;

/** A chat without updates leaves the set in the step that finds it empty, so that none is forgotten. */
const DROP = `
if redis.call('LPOP', KEYS[2]) then redis.call('DECR', KEYS[3]) end
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('ZREM', KEYS[1], ARGV[2])
else redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2]) end`;

export function openForwardQueue(redis: Redis, prefix: string): ForwardQueue {
  const due = `${prefix}:events-crypto:forward`;
  const count = `${due}-count`;
  const listOf = (chat: string): string => `${due}:${chat}`;
  return {
    async put(chat, update) {
      await redis
        .multi()
        .rpush(listOf(chat), JSON.stringify(update))
        .zadd(due, 'NX', 0, chat)
        .incr(count)
        .exec();
    },
    async claim(limit, now) {
      const lease = now.getTime() + LEASE_MS;
      return (await redis.eval(CLAIM, 1, due, now.getTime(), lease, limit)) as string[];
    },
    async first(chat) {
      const text = await redis.lindex(listOf(chat), 0);
      return text === null ? null : (JSON.parse(text) as Forwarded);
    },
    async drop(chat, now) {
      await redis.eval(DROP, 3, due, listOf(chat), count, now.getTime(), chat);
    },
    async postpone(chat, until) {
      await redis.zadd(due, 'XX', until.getTime(), chat);
    },
    waiting: async () => Number((await redis.get(count)) ?? 0),
  };
}
