import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
