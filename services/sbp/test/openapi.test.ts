import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { parse } from 'yaml';
import { tokenOf } from '../src/tbank/callback.ts';
import {
  API_TOKEN,
  createSbpDatabase,
  BANK_KEY,
  getStatus,
  pay,
  startTestSbp,
  turn,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

const FILE = join(import.meta.dirname, '../../../docs/openapi/sbp.yaml');

interface Operation {
  readonly responses: Readonly<Record<string, object>>;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const document = parse(readFileSync(FILE, 'utf8')) as OpenApi;
const schemas = new Ajv2020({ strict: false, validateFormats: false });
schemas.addSchema({ $id: 'sbp', ...document });

let database: SbpDatabase;
let sbp: RunningSbp;
let token: string;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database, { streamPace: { everyMs: 10, looks: 2 } });
});
afterAll(async () => {
  await sbp.close();
  await database.drop();
});

const ORDER = '{"amount":100.5,"orderId":"o 1","description":"Чай","ttlMinutes":30}';
const REFUND = { orderId: 'o 1', body: '{"refundId":"r1","amount":"0.50"}' };
const TOO_LARGE = `"${'x'.repeat(70_000)}"`;
const HOOK = { provider: 'yookassa', body: '{"event":"payment.succeeded","object":{"id":"x"}}' };

test('orders: every answer is one that the document has, in the shape that it says', async () => {
  const made = await ask('post', '/api/payment', { body: ORDER });
  expect(made.status).toBe(200);
  token = String((made.json as { payUrl: string }).payUrl.split('/').at(-1));

  await expectStatus(401, ask('post', '/api/payment', { body: ORDER, bearer: 'x' }));
  await expectStatus(400, ask('post', '/api/payment', { body: '{' }));
  await expectStatus(409, ask('post', '/api/payment', { body: ORDER.replace('100.5', '7') }));
  await expectStatus(413, ask('post', '/api/payment', { body: TOO_LARGE }));
  await expectStatus(415, ask('post', '/api/payment', { body: ORDER, encoding: 'gzip' }));
  await turn(sbp, { faults: [{ on: 'create', kind: 'http-503' }] });
  await expectStatus(500, ask('post', '/api/payment', { body: '{"amount":1,"orderId":"o 3"}' }));
  await expectStatus(200, ask('get', '/api/status/{orderId}', { orderId: 'o 1' }));
  await expectStatus(404, ask('get', '/api/status/{orderId}', { orderId: 'nobody' }));
  await expectStatus(401, ask('get', '/api/status/{orderId}', { orderId: 'o 1', bearer: 'x' }));
  await expectStatus(200, ask('get', '/api/health', {}));

  await expectStatus(200, ask('get', '/pay/{token}', { token }));
  await expectStatus(200, ask('get', '/pay/{token}/qr.png', { token }));
  await expectStatus(200, ask('get', '/pay/{token}/events', { token }));
  for (const more of ['', '/qr.png', '/events']) {
    await expectStatus(404, ask('get', `/pay/{token}${more}`, { token: 'x'.repeat(22) }));
  }

  const qrcId = (made.json as { qrcId: string }).qrcId;
  await expectStatus(409, ask('post', '/api/payment/{orderId}/refund', REFUND));
  await pay(sbp, qrcId);
  await waitFor(async () => (await getStatus(sbp, 'o 1')).body['status'] === 'paid');
  await expectStatus(200, ask('get', '/api/status/{orderId}', { orderId: 'o 1' }));
});

test('refunds and cancelling', async () => {
  const refund = '/api/payment/{orderId}/refund';
  await expectStatus(404, ask('post', refund, { ...REFUND, orderId: 'x' }));
  await expectStatus(400, ask('post', refund, { ...REFUND, body: '{}' }));
  await expectStatus(401, ask('post', refund, { ...REFUND, bearer: 'x' }));
  await expectStatus(413, ask('post', refund, { ...REFUND, body: TOO_LARGE }));
  await expectStatus(415, ask('post', refund, { ...REFUND, encoding: 'gzip' }));
  await expectStatus(200, ask('post', refund, REFUND));

  const cancel = '/api/payment/{orderId}/cancel';
  await expectStatus(409, ask('post', cancel, { orderId: 'o 1' }));
  await expectStatus(404, ask('post', cancel, { orderId: 'x' }));
  await expectStatus(401, ask('post', cancel, { orderId: 'o 1', bearer: 'x' }));
  await ask('post', '/api/payment', { body: '{"amount":"1","orderId":"o 2"}' });
  await expectStatus(200, ask('post', cancel, { orderId: 'o 2' }));
});

test('callbacks', async () => {
  const hook = '/webhook/sbp/{provider}';
  await expectStatus(200, ask('post', hook, HOOK));
  await expectStatus(200, ask('post', hook, { provider: 'tbank', body: signedByTbank() }));
  await expectStatus(400, ask('post', hook, { ...HOOK, body: '{' }));
  await expectStatus(401, ask('post', hook, { ...HOOK, provider: 'raiffeisen' }));
  await expectStatus(404, ask('post', hook, { ...HOOK, provider: 'nobody' }));
  await expectStatus(413, ask('post', hook, { ...HOOK, body: TOO_LARGE }));
  await expectStatus(415, ask('post', hook, { ...HOOK, type: 'text/plain' }));
});

test('while the database is away everybody is asked to come again', async () => {
  await database.run('RENAME TABLE sbp_orders TO sbp_orders_away');
  try {
    await expectStatus(503, ask('post', '/api/payment', { body: ORDER }));
    await expectStatus(503, ask('get', '/api/status/{orderId}', { orderId: 'o 1' }));
    await expectStatus(503, ask('post', '/api/payment/{orderId}/refund', REFUND));
    await expectStatus(503, ask('post', '/api/payment/{orderId}/cancel', { orderId: 'o 1' }));
    await expectStatus(503, ask('post', '/webhook/sbp/{provider}', HOOK));
    for (const more of ['', '/qr.png', '/events']) {
      await expectStatus(503, ask('get', `/pay/{token}${more}`, { token }));
    }
  } finally {
    await database.run('RENAME TABLE sbp_orders_away TO sbp_orders');
  }
});

test('everything that the document says can be had was had', () => {
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses }]) =>
      Object.keys(responses ?? {}).flatMap((status) => {
        const types = contentTypes(placeOf(method, path, status));
        return types.map((type) => `${method} ${path} ${status} ${type}`);
      }),
    ),
  );
  expect(documented.length).toBeGreaterThan(40);
  expect(documented.filter((answer) => !had.has(answer))).toEqual([]);
});

test('what the document does not have, the service does not have', async () => {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
      if (operations[method] !== undefined) continue;
      const url = `${sbp.url}${filled(path, { provider: 'tbank' })}`;
      const { status } = await fetch(url, { method: method.toUpperCase() });
      expect({ path, method, status }).toEqual({ path, method, status: 405 });
    }
  }
});

function signedByTbank(): string {
  const fields = { TerminalKey: 'SandboxDEMO', OrderId: 'nobody', PaymentId: '1' };
  return JSON.stringify({ ...fields, Token: tokenOf(fields, BANK_KEY) });
}

/** `get /pay/{token} 200 text/html` */
const had = new Set<string>();

interface Asked {
  readonly [name: string]: string;
}

interface Answered {
  readonly status: number;
  readonly json: unknown;
}

async function expectStatus(status: number, answer: Promise<Answered>): Promise<void> {
  expect((await answer).status).toBe(status);
}

/** Asks as the document says, and holds the answer against it. */
async function ask(method: string, path: string, asked: Asked): Promise<Answered> {
  const { body, bearer = API_TOKEN, type: sent = 'application/json', encoding } = asked;
  const response = await fetch(`${sbp.url}${filled(path, asked)}`, {
    method: method.toUpperCase(),
    headers: {
      Authorization: `Bearer ${bearer}`,
      'Content-Type': sent,
      ...(encoding !== undefined && { 'Content-Encoding': encoding }),
    },
    ...(body !== undefined && { body }),
  });
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const isJson = type === 'application/json';
  const answer: unknown = isJson ? await response.json() : await response.text();

  const { status } = response;
  const place = placeOf(method, path, String(status));
  expect(contentTypes(place), `${method} ${path} ${status}`).toContain(type);
  had.add(`${method} ${path} ${status} ${type}`);
  const schema = `${place}/content/${type.replaceAll('/', '~1')}/schema`;
  if (at(schema) === undefined) return { status, json: null };
  const isRight = schemas.validate({ $ref: `sbp${schema}` }, answer);
  expect(isRight, `${method} ${path} ${status}: ${schemas.errorsText()}`).toBe(true);
  return { status, json: isJson ? answer : null };
}

function placeOf(method: string, path: string, status: string): string {
  const place = `#/paths/${path.replaceAll('/', '~1')}/${method}/responses/${status}`;
  return resolve(place.replaceAll('{', '%7B').replaceAll('}', '%7D'));
}

/** The place of a response, its reference followed. */
function resolve(pointer: string): string {
  const found = at(pointer) as { $ref?: string } | undefined;
  return found?.$ref ?? pointer;
}

function contentTypes(pointer: string): readonly string[] {
  const found = at(pointer) as { content?: object } | undefined;
  return Object.keys(found?.content ?? {});
}

function at(pointer: string): unknown {
  const steps = decodeURIComponent(pointer).slice(2).split('/');
  return steps.reduce<unknown>((value, step) => {
    const key = step.replaceAll('~1', '/');
    return (value as Readonly<Record<string, unknown>> | undefined)?.[key];
  }, document);
}

function filled(path: string, values: Asked): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(values[name] ?? 'x'),
  );
}
