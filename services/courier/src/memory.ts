import type { Redis } from 'ioredis';
import type { Log } from '@kopeck/runtime/log';

/** What the courier knows, by key. In memory, and in Redis as often as Redis can be reached. */
export interface Memory<T> {
  readonly get: (key: string) => T | undefined;
  readonly set: (key: string, value: T) => void;
  readonly delete: (key: string) => void;
  readonly entries: () => readonly (readonly [string, T])[];
  /** Resolves when what an earlier life wrote has been read: not before Redis can be reached. */
  readonly loaded: Promise<void>;
}

export interface MemoryOptions<T> {
  readonly redis: Redis;
  /** A hash: field → JSON. */
  readonly key: string;
  /** This life learnt something before it could read what an earlier one knew. */
  readonly merge: (mine: T, earlier: T) => T;
  readonly log: Log;
}

/** So that a restart of the courier mails nothing twice, and an outage of Redis does not stop it. */
export function openMemory<T>(options: MemoryOptions<T>): Memory<T> {
  const { redis, log } = options;
  const known = new Map<string, T>();
  const unwritten = new Set<string>();
  const { promise: loaded, resolve: markLoaded } = Promise.withResolvers<void>();
  let isRead = false;
  let isWriting = false;

  async function write(): Promise<void> {
    if (isWriting || !isRead) return;
    isWriting = true;
    try {
      // A field that changes meanwhile is added again, and this very loop comes by once more.
      for (const field of unwritten) {
        unwritten.delete(field);
        await writeOne(field, known.get(field), options).catch((error: unknown) => {
          unwritten.add(field);
          throw error;
        });
      }
    } finally {
      isWriting = false;
    }
  }

  /** Redis may have come back empty: everything is written anew at each connection. */
  async function synchronise(): Promise<void> {
    if (!isRead) await readInto(known, (field) => unwritten.has(field), options);
    isRead = true;
    markLoaded();
    for (const field of known.keys()) unwritten.add(field);
    await write();
  }

  const attempt = (work: () => Promise<void>): void =>
    void work().catch((error: unknown) => log.warn('incidents could not be kept', { error }));
  redis.on('ready', () => attempt(synchronise));
  if (redis.status === 'ready') attempt(synchronise);

  function changed(field: string): void {
    unwritten.add(field);
    attempt(write);
  }

  return {
    loaded,
    get: (field) => known.get(field),
    entries: () => [...known],
    set: (field, value) => {
      known.set(field, value);
      changed(field);
    },
    delete: (field) => {
      if (known.delete(field)) changed(field);
    },
  };
}

async function readInto<T>(
  known: Map<string, T>,
  isForgotten: (field: string) => boolean,
  { redis, key, merge }: MemoryOptions<T>,
): Promise<void> {
  for (const [field, text] of Object.entries(await redis.hgetall(key))) {
    const mine = known.get(field);
    const earlier = JSON.parse(text) as T;
    if (mine !== undefined) known.set(field, merge(mine, earlier));
    else if (!isForgotten(field)) known.set(field, earlier);
  }
}

async function writeOne<T>(
  field: string,
  value: T | undefined,
  { redis, key }: MemoryOptions<T>,
): Promise<void> {
  if (value === undefined) await redis.hdel(key, field);
  else await redis.hset(key, field, JSON.stringify(value));
}
