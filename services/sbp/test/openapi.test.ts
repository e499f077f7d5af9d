import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { parse } from 'yaml';
import {
  API_TOKEN,
  createSbpDatabase,
  getStatus,
  pay,
  startTestSbp,
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
  sbp = await startTestSbp(database);
});
afterAll(async () => {
  await sbp.close();
  await database.drop();
});

const ORDER = '{"amount":100.5,"orderId":"o 1","description":"Чай","ttlMinutes":30}';

test('every answer is one that the document has, in the shape that it says', async () => {
  const made = await ask('post', '/api/payment', { body: ORDER });
  expect(made.status).toBe(200);
  token = String((made.json as { payUrl: string }).payUrl.split('/').at(-1));

  await expectStatus(401, ask('post', '/api/payment', { body: ORDER, bearer: 'x' }));
  await expectStatus(400, ask('post', '/api/payment', { body: '{' }));
  await expectStatus(409, ask('post', '/api/payment', { body: ORDER.replace('100.5', '7') }));
  await expectStatus(413, ask('post', '/api/payment', { body: `"${'x'.repeat(70_000)}"` }));
  await expectStatus(200, ask('get', '/api/status/{orderId}', { orderId: 'o 1' }));
  await expectStatus(404, ask('get', '/api/status/{orderId}', { orderId: 'nobody' }));
  await expectStatus(200, ask('get', '/api/health', {}));
  await expectStatus(200, ask('get', '/pay/{token}', { token }));
  await expectStatus(200, ask('get', '/pay/{token}/qr.png', { token }));
  await expectStatus(404, ask('get', '/pay/{token}', { token: 'x'.repeat(22) }));

  const refund = { orderId: 'o 1', body: '{"refundId":"r1","amount":"0.50"}' };
  await expectStatus(409, ask('post', '/api/payment/{orderId}/refund', refund));
  await expectStatus(
    404,
    ask('post', '/api/payment/{orderId}/refund', { ...refund, orderId: 'x' }),
  );
  await expectStatus(400, ask('post', '/api/payment/{orderId}/refund', { ...refund, body: '{}' }));
  await pay(sbp, (made.json as { qrcId: string }).qrcId);
  await waitFor(async () => (await getStatus(sbp, 'o 1')).body['status'] === 'paid');
  await expectStatus(200, ask('post', '/api/payment/{orderId}/refund', refund));
  await expectStatus(200, ask('get', '/api/status/{orderId}', { orderId: 'o 1' }));
  await expectStatus(409, ask('post', '/api/payment/{orderId}/cancel', { orderId: 'o 1' }));

  await ask('post', '/api/payment', { body: '{"amount":"1","orderId":"o 2"}' });
  await expectStatus(200, ask('post', '/api/payment/{orderId}/cancel', { orderId: 'o 2' }));
  const hook = { provider: 'raiffeisen', body: '{}' };
  await expectStatus(401, ask('post', '/webhook/sbp/{provider}', hook));
  const yookassa = '{"event":"payment.succeeded","object":{"id":"x"}}';
  await expectStatus(
    200,
    ask('post', '/webhook/sbp/{provider}', { provider: 'yookassa', body: yookassa }),
  );
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
  const { body, bearer = API_TOKEN } = asked;
  const response = await fetch(`${sbp.url}${filled(path, asked)}`, {
    method: method.toUpperCase(),
    headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body }),
  });
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const json = type === 'application/json' ? await response.json() : null;

  const { status } = response;
  const responses = `#/paths/${path.replaceAll('/', '~1')}/${method}/responses/${status}`;
  const pointer = resolve(responses.replaceAll('{', '%7B').replaceAll('}', '%7D'));
  expect(contentTypes(pointer), `${method} ${path} ${status}`).toContain(type);
  if (json !== null) {
    const place = `${pointer}/content/application~1json/schema`;
    const isRight = schemas.validate({ $ref: `sbp${place}` }, json);
    expect(isRight, `${method} ${path} ${status}: ${schemas.errorsText()}`).toBe(true);
  }
  return { status, json };
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
