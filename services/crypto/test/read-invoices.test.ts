import { Redis } from 'ioredis';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { createTestRedis } from '@kopeck/testing/test-database';
import type { CryptoPayApp } from '../src/cryptobot/client.ts';
import { readInvoices } from '../src/reconcile/invoices.ts';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-10-05T12:00:00.000Z');
const before = (days: number): string => new Date(NOW.getTime() - days * DAY_MS).toISOString();

const { url, prefix } = createTestRedis(inject('redisUrl'));
const redis = new Redis(url);
afterAll(() => redis.disconnect());

/** Pages that were asked for, by their first invoice. */
let asked: number[];
let failsAt: number | null;
/** The newest first: one is made every minute, and paid the next. */
let invoices: Record<string, string>[];
let known: Set<string>;

beforeEach(async () => {
  asked = [];
  failsAt = null;
  known = new Set();
  invoices = Array.from({ length: 1_200 }, (_, minute) => ({
    invoice_id: String(9_000 - minute),
    status: 'paid',
    currency_type: 'crypto',
    asset: 'USDT',
    amount: '4.5',
    created_at: before(minute / 1_440),
    paid_at: before(minute / 1_440),
  }));
  await redis.del(`${prefix}:list`);
});

const app: CryptoPayApp = {
  app: '31337',
  network: 'main',
  call: async (_method, parameters) => {
    const offset = Number(parameters['offset']);
    asked.push(offset);
    if (offset === failsAt) return { kind: 'unknown' };
    return { kind: 'ok', result: { items: invoices.slice(offset, offset + 1_000) } };
  },
};

async function read({ isAsked = false, laterMs = 0 } = {}): Promise<number> {
  let found = 0;
  asked = [];
  const take = async (events: readonly KopeckEvent[]): Promise<number> => {
    const fresh = events.filter(({ id }) => !known.has(id));
    for (const { id } of fresh) known.add(id);
    found += fresh.length;
    return fresh.length;
  };
  const now = new Date(NOW.getTime() + laterMs);
  const since = new Date(now.getTime() - 7 * DAY_MS);
  await readInvoices(app)(take, { redis, key: `${prefix}:list`, now: () => now, since, isAsked });
  return found;
}

/** Made long before all others, paid just now. */
function payOld(madeDaysAgo: number, id = 'old'): void {
  invoices.push({
    invoice_id: id,
    status: 'paid',
    created_at: before(madeDaysAgo),
    paid_at: before(0),
  });
}

test('the first reading goes through all, the next ends where nothing is new', async () => {
  expect(await read()).toBe(1_200);
  expect(asked).toEqual([0, 1_000]);
  expect(await read()).toBe(0);
  expect(asked).toEqual([0]);
});

test('an old invoice that is paid at last is found within the hour, or when asked for', async () => {
  await read();
  payOld(20);
  expect(await read({ laterMs: 1_800_000 })).toBe(0);
  expect(await read({ laterMs: 1_800_000, isAsked: true })).toBe(1);
  payOld(25, 'another');
  expect(await read({ laterMs: 3_000_000 })).toBe(0);
  expect(await read({ laterMs: 2 * 3_600_000 })).toBe(1);
});

test('a reading that failed on its way is made up for by the next', async () => {
  await read();
  known.clear();
  failsAt = 1_000;
  await expect(read()).rejects.toThrow('getInvoices: unknown');
  failsAt = null;
  expect(await read()).toBe(200);
});

test('what can no longer be paid is not read again and again', async () => {
  invoices = invoices.map((invoice) => ({ ...invoice, created_at: before(39) }));
  await read();
  expect(asked).toEqual([0]);
});
