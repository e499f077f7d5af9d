import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '@kopeck/testing/ports';
import { createBreaker } from '../src/breaker.ts';
import { createProviderHttp, type ProviderAnswer } from '../src/provider-http.ts';

const TOKEN = 'Bearer bank-secret-bank-secret-bank-secret';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

test('numbers come as they were written, and the text as it came', async () => {
  const answer = await ask((_request, response) =>
    response.end('{"amount":100.00,"id":12345678901234567890}'),
  );
  expect(answer.json).toEqual({ amount: '100.00', id: '12345678901234567890' });
  expect(answer.text).toBe('{"amount":100.00,"id":12345678901234567890}');
});

test.each([
  [301, 'rejected'],
  [400, 'rejected'],
  [404, 'rejected'],
  [401, 'auth'],
  [403, 'auth'],
  [429, 'busy'],
  [503, 'busy'],
  [500, 'unknown'],
  [502, 'unknown'],
  [504, 'unknown'],
])('HTTP %i is %s', async (status, failure) => {
  let requests = 0;
  const asked = ask((_request, response) => {
    requests += 1;
    response.writeHead(status, { Location: '/elsewhere' }).end('{}');
  });
  await expect(asked).rejects.toMatchObject({ name: 'ProviderError', failure });
  expect(requests).toBe(1);
});

const unreadable: readonly (readonly [string, RequestListener])[] = [
  ['no JSON', (_request, response) => response.end('<html>')],
  ['no object', (_request, response) => response.end('[]')],
  ['an endless answer', (_request, response) => response.end(`{"x":"${'x'.repeat(300_000)}"}`)],
  [
    'half an answer',
    (request, response) =>
      response.writeHead(200, { 'Content-Length': 10 }).write('{', () => request.socket.destroy()),
  ],
  ['no answer', (request) => void request.socket.destroy()],
  ['silence', () => undefined],
];
test.each(unreadable)('after %s nobody knows what was done', async (_what, listener) => {
  await expect(ask(listener)).rejects.toMatchObject({ name: 'ProviderError', failure: 'unknown' });
});

test('when nobody listens nothing was done', async () => {
  const http = createProviderHttp(options(`http://127.0.0.1:${await freePort()}`));
  const asked = http({ method: 'POST', path: '/', body: '{}' });
  await expect(asked).rejects.toMatchObject({ failure: 'unreachable' });
});

test('an error carries neither the token nor the request', async () => {
  const error: unknown = await ask((request) => void request.socket.destroy()).catch(
    (thrown: unknown) => thrown,
  );
  const all = Object.getOwnPropertyNames(error).map((key) =>
    JSON.stringify(Reflect.get(error as object, key)),
  );
  expect(all.join()).not.toContain('bank-secret');
  expect(error).not.toHaveProperty('cause');
  expect(error).not.toHaveProperty('config');
});

async function ask(listener: RequestListener): Promise<ProviderAnswer> {
  server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return await createProviderHttp(options(`http://127.0.0.1:${port}`))({
    method: 'GET',
    path: '/',
  });
}

function options(baseUrl: string): Parameters<typeof createProviderHttp>[0] {
  return {
    provider: 'bank',
    baseUrl,
    headers: { Authorization: TOKEN },
    breaker: createBreaker({ now: () => new Date(0), changed: () => undefined }),
    timeoutMs: 300,
  };
}
