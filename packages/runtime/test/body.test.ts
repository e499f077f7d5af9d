import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, isOneOf, jsonBody, rawBody } from '@kopeck/runtime/body';
import { createRouter, HttpError, methods } from '@kopeck/runtime/http-app';
import type { Listening } from '@kopeck/runtime/listen';
import { ask, serve } from './http-client.ts';

const CURRENT = 'current-token-current-token-1234';
const PREVIOUS = 'previous-token-previous-token-12';

let server: Listening;

beforeAll(async () => {
  const router = createRouter();
  const auth = bearer([CURRENT, PREVIOUS], (response) => void response.status(401).json({ no: 1 }));
  router.all('/guarded', auth, (_request, response) => void response.json({ in: true }));
  router.all(
    '/json',
    methods({ POST: [...jsonBody(), (request, response) => void response.json(request.body)] }),
  );
  const words = {
    limitBytes: 10,
    wrongType: new HttpError(400, { error: 'type' }),
    notJson: new HttpError(400, { error: 'json' }),
  };
  router.post('/own-words', ...jsonBody(words), (_request, response) => void response.json({}));
  router.all('/raw', rawBody(10), (request, response) => {
    response.json({ hex: (request.body as Buffer).toString('hex') });
  });
  server = await serve(router);
});
afterAll(() => server.close());

describe('a bearer token', () => {
  test.each([`Bearer ${CURRENT}`, `Bearer ${PREVIOUS}`, `bearer ${CURRENT}`])(
    'opens: %s',
    async (authorization) => {
      const answer = await ask(server.url, '/guarded', { headers: { authorization } });
      expect([answer.status, answer.body]).toEqual([200, '{"in":true}']);
    },
  );

  test.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer x',
    CURRENT,
    `Basic ${CURRENT}`,
    `Bearer ${CURRENT}x`,
    `Bearer ${CURRENT.slice(1)}`,
    `Bearer ${CURRENT},${PREVIOUS}`,
    `Bearer ${CURRENT.toUpperCase()}`,
    `Bearer  ${CURRENT}`,
  ])('is refused in the API’s own words: %j', async (authorization) => {
    const answer = await ask(server.url, '/guarded', { headers: { authorization } });
    expect([answer.status, answer.headers['www-authenticate'], answer.body]).toEqual([
      401,
      'Bearer',
      '{"no":1}',
    ]);
  });

  test('is not asked of an empty list: then nobody has one', () => {
    expect(isOneOf('', [])).toBe(false);
    expect(isOneOf('', [''])).toBe(false);
    expect(isOneOf('x', [])).toBe(false);
  });
});

describe('a JSON body', () => {
  const type = { 'content-type': 'application/json' };
  const post = (path: string, body: string, headers: Record<string, string> = type) =>
    ask(server.url, path, { method: 'POST', headers, body });

  test('keeps its numbers as they were written', async () => {
    expect((await post('/json', '{"amount":1.50,"id":9007199254740993}')).body).toBe(
      '{"amount":"1.50","id":"9007199254740993"}',
    );
  });

  test.each(['', '{', '{"a":1}}', "{'a':1}", '\u0000'])('is not %j', async (body) => {
    const answer = await post('/json', body);
    expect([answer.status, answer.body]).toEqual([400, '{"error":"malformed"}']);
    expect((await post('/own-words', body)).body).toBe('{"error":"json"}');
  });

  test.each(['text/plain', 'application/jsonx', ''])('is not of the type %j', async (other) => {
    const headers = { 'content-type': other };
    expect((await post('/json', '{}', headers)).status).toBe(415);
    expect((await post('/own-words', '{}', headers)).body).toBe('{"error":"type"}');
  });

  test('is no larger than was asked for', async () => {
    expect((await post('/own-words', '{"a":"12"}')).status).toBe(200);
    expect((await post('/own-words', '{"a":"123"}')).status).toBe(413);
    expect((await post('/json', `"${'x'.repeat(65_534)}"`)).status).toBe(200);
    expect((await post('/json', `"${'x'.repeat(65_535)}"`)).status).toBe(413);
  });

  test('is not compressed', async () => {
    const answer = await post('/json', '{}', { ...type, 'content-encoding': 'gzip' });
    expect([answer.status, answer.body]).toEqual([415, '{"error":"unsupported_media_type"}']);
  });
});

describe('a raw body', () => {
  const post = (body: Buffer, headers = {}) =>
    ask(server.url, '/raw', { method: 'POST', headers, body });

  test.each([
    ['of any type', { 'content-type': 'image/png' }],
    ['of no type', {}],
  ])('%s is its bytes', async (_what, headers) => {
    expect((await post(Buffer.from([0, 255]), headers)).body).toBe('{"hex":"00ff"}');
  });

  test('that is empty is no bytes, and not nothing', async () => {
    expect((await post(Buffer.alloc(0))).body).toBe('{"hex":""}');
    expect((await ask(server.url, '/raw')).body).toBe('{"hex":""}');
  });
});
