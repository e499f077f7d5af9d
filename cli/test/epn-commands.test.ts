import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { migrate } from '@kopeck/runtime/migrate';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';
import { writeListed } from '../../services/epn/src/stats/listed.ts';
import { Advice, type Context } from '../src/commands/command.ts';
import { run as epn } from '../src/commands/epn.ts';
import { run as rotateToken } from '../src/commands/rotate-token.ts';

const TOKEN = 'token-of-the-test_0123456789abcdefghijk';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kopeck-commands-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Told extends Context {
  readonly said: string[];
}

function contextWith(values: Readonly<Record<string, string>>): Told {
  const said: string[] = [];
  return {
    said,
    find: (key) => values[key],
    value: (key) => values[key] ?? '',
    envFiles: [join(dir, 'missing.env'), join(dir, '.env')],
    say: (text) => void said.push(text),
    now: () => new Date(0),
  };
}

test('epn url prints one line for the cabinet, with the current token and all 22 macros', async () => {
  const context = contextWith({
    WEBHOOK_DOMAIN: 'webhook.shop.test',
    EPN_SECRET_TOKEN: `${TOKEN},older`,
  });
  expect(await epn(['url'], context)).toBe(0);
  const url = new URL(context.said.join());
  expect(url.origin + url.pathname).toBe(`https://webhook.shop.test/webhook/${TOKEN}`);
  expect(context.said.join()).toContain(
    '?click_id={click_id}&order_number={order_number}&uniq_id=',
  );
  expect([...url.searchParams]).toHaveLength(22);
  for (const [name, macro] of url.searchParams) expect(macro).toBe(`{${name}}`);
});

test('rotate-token epn adds a token, shows the new URL, and --finish drops the older one', async () => {
  const file = join(dir, '.env');
  writeFileSync(file, `A=1\nEPN_SECRET_TOKEN='${TOKEN}'\nB=2\n`, { mode: 0o600 });
  const context = contextWith({ EPN_URL: 'http://127.0.0.1:8090' });
  expect(await rotateToken(['epn'], context)).toBe(0);

  const [, added = ''] =
    /^EPN_SECRET_TOKEN=([0-9a-f]{64}),token-of-the-test/m.exec(readFileSync(file, 'utf8')) ?? [];
  expect(context.said.join('\n')).toContain(`http://127.0.0.1:8090/webhook/${added}?click_id=`);
  expect(context.said.join('\n')).not.toContain(TOKEN);

  expect(await rotateToken(['epn', '--finish'], context)).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(`A=1\nEPN_SECRET_TOKEN=${added}\nB=2\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('rotate-token epn refuses a second new token, which would push out the one that EPN still uses', async () => {
  const file = join(dir, 'token');
  writeFileSync(file, `${TOKEN}\n`);
  const context = contextWith({ EPN_SECRET_TOKEN_FILE: file, EPN_URL: 'http://x' });
  await rotateToken(['epn'], context);
  const both = readFileSync(file, 'utf8');
  await expect(rotateToken(['epn'], context)).rejects.toThrow(/rotate-token epn --finish/);
  expect(readFileSync(file, 'utf8')).toBe(both);
});

test('rotate-token epn keeps a secret in the file that EPN_SECRET_TOKEN_FILE names', async () => {
  const file = join(dir, 'token');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o400 });
  await rotateToken(['epn'], contextWith({ EPN_SECRET_TOKEN_FILE: file, EPN_URL: 'http://x' }));
  expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^[0-9a-f]{64},${TOKEN}\n$`));
});

test('asked wrongly, or without a file to change, they say what to do', async () => {
  const context = contextWith({});
  await expect(epn([], context)).rejects.toThrow(Advice);
  await expect(rotateToken(['sbp'], context)).rejects.toThrow(/usage/);
  await expect(rotateToken(['epn'], context)).rejects.toThrow(/EPN_SECRET_TOKEN is in none of/);
});

test('epn missing names what is completed in the books and not in the statistics', async () => {
  const database = await createTestDatabase(inject('mariadbRootUrl'));
  const { url, prefix } = createTestRedis(inject('redisUrl'));
  const redis = new Redis(url);
  try {
    await migrate(database.url);
    const context = contextWith({
      DATABASE_URL: database.url,
      REDIS_URL: url,
      REDIS_PREFIX: prefix,
    });
    await expect(epn(['missing'], context)).rejects.toThrow(/no list of the statistics/);

    const day = (text: string): string => `2026-10-${text} 12:00:00`;
    const rows = [
      ['listed', 'epn_bz', 'completed', day('03')],
      ['Listed', 'epn_bz', 'completed', day('03')],
      ['syn_0123', 'epn_bz', 'completed', day('03')],
      ['held', 'epn_bz', 'waiting', day('03')],
      ['older', 'epn_bz', 'completed', day('01')],
      ['younger', 'epn_bz', 'completed', day('09')],
      ['of-another', 'admitad', 'completed', day('03')],
    ].map(([id, partner, status, at]) => [
      `affiliate:${partner}:${id}`,
      partner,
      id,
      'u-1',
      'ORDER-7',
      status,
      'RUB',
      '96.35',
      1,
      at,
    ]);
    const connection = await createConnection(database.url);
    await connection.query('INSERT INTO affiliate_actions VALUES ?', [rows]);
    await connection.end();

    const listed = { askedAt: '2026-10-10T03:00:00.000Z', from: '2026-10-01' };
    await writeListed(redis, prefix, { ...listed, actionIds: ['listed', 'other'] });
    expect(await epn(['missing'], context)).toBe(1);
    expect(context.said.join('\n')).toMatch(/2 completed in the books then, 1 are not listed/);
    expect(context.said.at(-1)).toBe('  Listed  order ORDER-7  96.350000000000000000 RUB');

    await writeListed(redis, prefix, { ...listed, actionIds: ['listed', 'Listed'] });
    expect(await epn(['missing'], context)).toBe(0);
  } finally {
    redis.disconnect();
    await database.drop();
  }
}, 30_000);
