import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { Advice, type Context } from '../../../cli/src/commands/command.ts';
import { run as refreshAll } from '../../../cli/src/commands/refresh-all.ts';
import { reportText } from '../src/bulk/report.ts';
import { seedPurchase } from '../src/seed.ts';
import { DIALECTS } from './dialects.ts';
import { KEY, PANEL_TOKEN, runAdmin, type RunningAdmin } from './running-admin.ts';

const DOCS = join(import.meta.dirname, '../../../docs');

interface Operation {
  readonly responses: Readonly<Record<string, object>>;
}
interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const document = parse(readFileSync(join(DOCS, 'openapi/admin.yaml'), 'utf8')) as OpenApi;
const schemas = new Ajv2020({ strict: false, validateFormats: false });
schemas.addSchema({ $id: 'admin', ...document });

const dialect = DIALECTS.find(({ name }) => name === 'marzban 0.8.4');
let database: TestDatabase;
let admin: RunningAdmin;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  const places = { redisUrl: inject('redisUrl'), databaseUrl: database.url };
  const env = { ADMIN_ENCRYPTION_KEY: 'encryption-key-0123456789abcdefghijklm' };
  admin = await runAdmin(places, env, { panels: dialect === undefined ? [] : [dialect] });
});
afterAll(async () => {
  await admin.close();
  await database.drop();
});

interface Asked {
  readonly [name: string]: string;
}

interface Answered {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>> | null;
}

/** Asks as the document says, and holds the answer against it. */
async function ask(verb: string, asked: Asked = {}): Promise<Answered> {
  const [method = '', path = ''] = verb.split(' ');
  const response = await send(method, path, asked);
  const { status } = response;
  const text = await response.text();
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const pointer = resolve(`#/paths/${path.replaceAll('/', '~1')}/${method}/responses/${status}`);
  expect(contentTypes(pointer), `${verb} ${status}: ${text}`).toContain(type);
  if (type !== 'application/json') return { status, json: null };

  const json = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const place = pointer.replaceAll('{', '%7B').replaceAll('}', '%7D');
  const $ref = `admin${place}/content/application~1json/schema`;
  const isRight = schemas.validate({ $ref }, json);
  expect(isRight, `${verb} ${status}: ${schemas.errorsText()}: ${text}`).toBe(true);
  return { status, json };
}

function send(method: string, path: string, asked: Asked): Promise<Response> {
  const { body, key = KEY, type = 'application/json', accept = 'application/json' } = asked;
  const { query = '' } = asked;
  return fetch(`${admin.url}${filled(path, asked)}?${query}`, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${key}`, 'content-type': type, accept },
    ...(body !== undefined && { body }),
  });
}

async function expectStatus(status: number, verb: string, asked: Asked = {}): Promise<Answered> {
  const answer = await ask(verb, asked);
  expect({ verb, status: answer.status }).toEqual({ verb, status });
  return answer;
}

function filled(path: string, asked: Asked): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => asked[name] ?? 'x');
}

/** The place of a response, its reference followed. */
function resolve(pointer: string): string {
  const found = at(pointer) as { $ref?: string } | undefined;
  return found?.$ref ?? pointer;
}

function contentTypes(pointer: string): readonly string[] {
  const { content = {} } = (at(pointer) ?? {}) as { content?: object };
  return Object.keys(content);
}

function at(pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((value, step) => {
      const key = step.replaceAll('~1', '/');
      return (value as Readonly<Record<string, unknown>> | undefined)?.[key];
    }, document);
}

const purchaseOn = (id: string, serverId: string, externalId = `b${id}`): string =>
  JSON.stringify({ id, user: 'u', servers: [{ serverId, externalId, subscriptionId: 's' }] });

test('every answer about purchases is one that the document has, in the shape that it says', async () => {
  const all = '/admin/purchases';
  await expectStatus(201, `post ${all}`, { body: purchaseOn('1', 'de1') });
  await expectStatus(409, `post ${all}`, { body: purchaseOn('1', 'de1') });
  await expectStatus(400, `post ${all}`, { body: '{"id":1.5}' });
  await expectStatus(413, `post ${all}`, { body: `"${'x'.repeat(70_000)}"` });
  await expectStatus(415, `post ${all}`, { body: 'x', type: 'text/plain' });
  await expectStatus(200, `get ${all}`, { query: 'after=0&user=u' });
  await expectStatus(400, `get ${all}`, { query: 'after=x' });
  await expectStatus(401, `get ${all}`, { key: 'wrong' });
  const { json } = await expectStatus(200, `get ${all}/{purchaseId}`, { purchaseId: '1' });
  await expectStatus(404, `get ${all}/{purchaseId}`, { purchaseId: '99' });
  await expectStatus(400, `get ${all}/{purchaseId}`, { purchaseId: 'x' });
  await expectStatus(200, `patch ${all}/{purchaseId}`, { purchaseId: '1', body: '{"user":null}' });
  await expectStatus(400, `patch ${all}/{purchaseId}`, { purchaseId: '1', body: '{}' });

  const list = `[${purchaseOn('2', 'de1')},${purchaseOn('1', 'de1')}]`;
  await expectStatus(200, `post ${all}/import`, { body: list });
  await expectStatus(400, `post ${all}/import`, { body: '[{"id":"x"}]' });
  await expectStatus(400, `post ${all}/import`, { body: 'id\n1', type: 'text/csv' });
  await expectStatus(415, `post ${all}/import`, { body: 'x', type: 'text/plain' });

  const token = String(json?.['subscription']).split('/').at(-1) ?? '';
  await expectStatus(200, 'get /sub/{token}', { token });
  await expectStatus(404, 'get /sub/{token}', { token: 'x'.repeat(22) });
  await expectStatus(200, 'get /health');
});

test('every answer about refreshes is one that the document has', async () => {
  const one = 'post /admin/update_configs/{purchaseId}';
  await admin.subscribe({ server: 'de1', externalId: 'b10', links: ['vless://a@b.test:443'] });
  for (const [id, server] of [
    ['10', 'de1'],
    ['11', 'locked'],
  ] as const)
    await ask('post /admin/purchases', { body: purchaseOn(id, server) });
  await ask('post /admin/purchases', { body: '{"id":"12"}' });
  await expectStatus(200, one, { purchaseId: '10' });
  await expectStatus(200, one, { purchaseId: '10', accept: 'text/plain' });
  await expectStatus(502, one, { purchaseId: '11' });
  await expectStatus(502, one, { purchaseId: '11', accept: 'text/plain' });
  await expectStatus(409, one, { purchaseId: '12' });
  await expectStatus(404, one, { purchaseId: '99' });
  await expectStatus(400, one, { purchaseId: 'x' });
  await expectStatus(401, one, { purchaseId: '10', key: 'wrong' });
  await admin.fault('de1', 'hang');
  await expectStatus(504, one, { purchaseId: '10' });
  await admin.fault('de1', 'none');

  const bulk = '/admin/update_configs';
  await expectStatus(200, `post ${bulk}`, { body: '{"dryRun":true}' });
  await expectStatus(400, `post ${bulk}`, { body: '{"scope":"some"}' });
  await expectStatus(415, `post ${bulk}`, { body: 'x', type: 'text/plain' });
  await admin.fault('de1', 'slow', { ms: 100 });
  const { json } = await expectStatus(202, `post ${bulk}`, { body: '{"scope":["10","11"]}' });
  const jobId = String(json?.['jobId']);
  const job = `${bulk}/jobs/{jobId}`;
  await expectStatus(409, `post ${job}/retry-failed`, { jobId });
  await waitFor(async () => (await ask(`get ${job}`, { jobId })).json?.['state'] === 'finished');
  await expectStatus(200, `get ${job}`, { jobId, accept: 'text/plain', query: 'lang=en' });
  await expectStatus(200, `get ${job}/events`, { jobId });
  await expectStatus(409, `post ${job}/cancel`, { jobId });
  const again = await expectStatus(202, `post ${job}/retry-failed`, { jobId });
  await ask(`post ${job}/cancel`, { jobId: String(again.json?.['jobId']) });
  for (const verb of [`get ${job}`, `get ${job}/events`, `post ${job}/cancel`])
    await expectStatus(404, verb, { jobId: 'x' });
});

test('every answer about servers is one that the document has', async () => {
  const { server, ref } = dialect ?? { server: { id: '' }, ref: {} };
  const reissue = 'post /admin/reissue_configs/{purchaseId}';
  await ask('post /admin/purchases', { body: JSON.stringify({ id: '20', servers: [ref] }) });
  const body = JSON.stringify({ serverId: server.id });
  await expectStatus(200, reissue, { purchaseId: '20', body });
  await expectStatus(400, reissue, { purchaseId: '20', body: '{}' });
  await expectStatus(404, reissue, { purchaseId: '99', body });
  await admin.fault(server.id, 'reset');
  await expectStatus(502, reissue, { purchaseId: '20', body });

  const url = admin.panelUrl;
  const added = JSON.stringify({ id: 'new', kind: 'sandbox', url, token: PANEL_TOKEN });
  await expectStatus(201, 'post /admin/servers', { body: added });
  await expectStatus(200, 'post /admin/servers', { body: added });
  await expectStatus(409, 'post /admin/servers', { body: added.replace('new', 'de1') });
  await expectStatus(400, 'post /admin/servers', { body: '{"id":"new"}' });
  await expectStatus(200, 'get /admin/servers');
  const probe = 'post /admin/servers/{serverId}/probe';
  await expectStatus(200, probe, { serverId: 'new' });
  await expectStatus(502, probe, { serverId: 'gone' });
  await expectStatus(404, probe, { serverId: 'nowhere' });
});

test('what the document does not have, the service does not have', async () => {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
      if (operations[method] !== undefined) continue;
      const url = `${admin.url}${filled(path, { purchaseId: '1' })}`;
      const { status } = await fetch(url, { method: method.toUpperCase() });
      // Of the buyers' addresses nobody learns that there are any.
      const expected = path.startsWith('/sub/') ? 404 : 405;
      expect({ path, method, status }).toEqual({ path, method, status: expected });
    }
  }
});

const NONE = { ok: 0, partial: 0, failed: 0, connectionErrors: 0, cancelled: 0 };

type Press = (ctx: object) => Promise<void>;

/** What a bot that has the page's lines shows when the button is pressed. */
async function pressed(
  url: string,
  page: string,
): Promise<readonly (readonly [string, unknown])[]> {
  const [, code = ''] =
    /The button "[^]*?```ts\n([^]*?)```/.exec(readFileSync(join(DOCS, page), 'utf8')) ?? [];
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
    editMessageText: async (text: string, { reply_markup }: { reply_markup?: unknown } = {}) => {
      shown.push([text, reply_markup]);
      // As Telegram refuses a text that is there already.
      if (shown.at(-2)?.[0] === text) throw new Error('message is not modified');
    },
  });
  expect(isAnswered).toBe(true);
  return shown;
}

function contextWith(values: Readonly<Record<string, string>>): Context & { said: string[] } {
  const said: string[] = [];
  const value = (key: string): string => values[key] ?? '';
  const say = (line: string): void => void said.push(line);
  return { said, value, say, find: value, envFiles: [], now: () => new Date() };
}

describe('the button of a bot', () => {
  beforeAll(async () => {
    await admin.pool.query('UPDATE purchases SET is_active = FALSE');
    for (const id of ['101', '102', '103']) {
      await seedPurchase(admin.pool, { id, servers: [{ serverId: 'de1', externalId: id }] });
      const links = [`vless://${id}@de1.vpn-fixture.test:443?type=tcp#r`];
      await admin.subscribe({ server: 'de1', externalId: id, links });
    }
    await admin.fault('de1', 'none');
  });

  test.each([
    ['API.md', undefined],
    ['api/admin.md', 'BACK'],
  ])(
    'the lines of %s refresh all, show how far it is, and end with the report',
    async (page, back) => {
      await admin.fault('de1', 'slow', { ms: 60 });
      const shown = await pressed(admin.url, page);
      const [text, markup] = shown.at(-1) ?? [];
      expect(text).toBe(reportText({ ...NONE, ok: 3, total: 3 }, 'ru'));
      expect(markup).toBe(back);
      expect(shown[0]?.[0]).toMatch(/^⏳ \d \/ 3$/);
    },
  );

  test('the lines of the documentation say so when nobody answers', async () => {
    const nobody = 'http://127.0.0.1:1';
    const [problem, todo] = reportText({ ...NONE, connectionErrors: 1, total: 1 }, 'ru')
      .split('\n')
      .slice(-2);
    expect(await pressed(nobody, 'api/admin.md')).toEqual([[`${problem}\n${todo}`, 'BACK']]);
  });

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
});
