import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { Advice, type Context } from '../../../cli/src/commands/command.ts';
import { run as refreshAll } from '../../../cli/src/commands/refresh-all.ts';
import { reportText } from '../src/bulk/report.ts';
import { seedPurchase } from '../src/seed.ts';
import { KEY, runAdmin, type RunningAdmin } from './running-admin.ts';

const PAGE = join(import.meta.dirname, '../../../docs/api/admin.md');

let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  admin = await runAdmin({ redisUrl: inject('redisUrl'), databaseUrl: database.url });
  for (const id of ['1', '2', '3']) {
    await seedPurchase(admin.pool, { id, servers: [{ serverId: 'de1', externalId: id }] });
    const links = [`vless://${id}@de1.vpn-fixture.test:443?type=tcp#r`];
    await admin.subscribe({ server: 'de1', externalId: id, links });
  }
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});
beforeEach(() => admin.fault('de1', 'none'));

const NONE = { ok: 0, partial: 0, failed: 0, connectionErrors: 0, cancelled: 0 };

type Press = (ctx: object) => Promise<void>;

/** What a bot that has the page's lines shows when the button is pressed. */
async function pressed(url: string): Promise<readonly (readonly [string, unknown])[]> {
  const [, code = ''] = /The button "[^]*?```ts\n([^]*?)```/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const buttons = new Map<string, Press>();
  const bot = { callbackQuery: (data: string, press: Press) => buttons.set(data, press) };
  const world = {
    bot,
    sleep: () => delay(20),
    backToMenu: 'BACK',
    ADMIN_URL: url,
    ADMIN_API_KEY: KEY,
  };
  // oxlint-disable-next-line no-implied-eval, no-new-func
  new Function(...Object.keys(world), code)(...Object.values(world));
  const shown: (readonly [string, unknown])[] = [];
  let isAnswered = false;
  await buttons.get('refresh-all')?.({
    answerCallbackQuery: async () => void (isAnswered = shown.length === 0),
    editMessageText: async (text: string, { reply_markup }: { reply_markup?: unknown }) => {
      shown.push([text, reply_markup]);
      // As Telegram refuses a text that is there already.
      if (shown.at(-2)?.[0] === text) throw new Error('message is not modified');
    },
  });
  expect(isAnswered).toBe(true);
  return shown;
}

test('the lines of the documentation refresh all, show how far it is, and end with the report', async () => {
  await admin.fault('de1', 'slow', { ms: 60 });
  const shown = await pressed(admin.url);
  const [text, markup] = shown.at(-1) ?? [];
  expect(text).toBe(reportText({ ...NONE, ok: 3, total: 3 }, 'ru'));
  expect(markup).toBe('BACK');
  expect(shown[0]?.[0]).toMatch(/^⏳ \d \/ 3$/);
});

test('the lines of the documentation say so when nobody answers', async () => {
  const nobody = 'http://127.0.0.1:1';
  const [problem, todo] = reportText({ ...NONE, connectionErrors: 1, total: 1 }, 'ru')
    .split('\n')
    .slice(-2);
  expect(await pressed(nobody)).toEqual([[`${problem}\n${todo}`, 'BACK']]);
});

function contextWith(values: Readonly<Record<string, string>>): Context & { said: string[] } {
  const said: string[] = [];
  const value = (key: string): string => values[key] ?? '';
  const say = (line: string): void => void said.push(line);
  return { said, value, say, find: value, envFiles: [], now: () => new Date() };
}

test('`kopeck refresh-all` prints the same report, and tells a script whether all is well', async () => {
  const context = contextWith({ ADMIN_URL: admin.url, ADMIN_API_KEY: `${KEY},old` });
  expect(await refreshAll(['--lang', 'en'], context)).toBe(0);
  expect(context.said.at(-1)).toBe(`\n${reportText({ ...NONE, ok: 3, total: 3 }, 'en')}`);
  expect(context.said).toContain('3/3  ok 3  partial 0  failed 0  connection 0');

  await admin.fault('de1', 'reset');
  expect(await refreshAll([], context)).toBe(1);
  const unreachable = { ...NONE, connectionErrors: 3, total: 3 };
  expect(context.said.at(-1)).toBe(`\n${reportText(unreachable, 'ru')}`);
  await expect(refreshAll(['--lang', 'de'], context)).rejects.toThrow(Advice);
  const wrong = contextWith({ ADMIN_URL: admin.url, ADMIN_API_KEY: 'x' });
  await expect(refreshAll([], wrong)).rejects.toThrow('ADMIN_API_KEY');
  const away = contextWith({ ADMIN_URL: 'http://127.0.0.1:1', ADMIN_API_KEY: KEY });
  await expect(refreshAll([], away)).rejects.toThrow('is admin running?');
});
