import { once } from 'node:events';
import { connect } from 'node:net';
import { AxiosError } from 'axios';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp, createRouter, HttpError, methods, requestIdOf } from '@kopeck/runtime/http-app';
import { listen, type Listening } from '@kopeck/runtime/listen';
import { noLog } from '@kopeck/runtime/log';
import { waitFor } from '@kopeck/testing/wait-for';
import { ask, serve, talk } from './http-client.ts';
import { recordingLog, type Line } from './recording-log.ts';

const SECRET = 'postgres://u:hunter2@db';

let server: Listening;
let lines: Line[];
let release: () => void;

beforeEach(async () => {
  const recording = recordingLog();
  lines = recording.lines;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });

  const router = createRouter();
  router.all('/only', methods({ GET: [(_, response) => void response.json({ got: 1 })] }));
  router.all('/hook', methods({ GET: [ok], POST: [ok] }));
  router.get('/status/:id', (request, response) => {
    response.json({ id: request.params.id, request: requestIdOf(response) });
  });
  router.all('/refuse', () => {
    throw new HttpError(409, { error: 'taken' }, { 'X-Why': 'twice' });
  });
  router.all('/fault', () => {
    throw new Error(`cannot reach ${SECRET}`);
  });
  router.all('/late-fault', async () => {
    await Promise.reject(new Error(SECRET));
  });
  router.all('/axios', async () => {
    throw new AxiosError(
      'Request failed with status code 404',
      'ERR_BAD_REQUEST',
      undefined,
      null,
      {
        status: 404,
        statusText: 'Not Found',
        data: SECRET,
        headers: {},
        config: { headers: undefined } as never,
      },
    );
  });
  router.all('/unexposed', () => {
    throw Object.assign(new Error(SECRET), { status: 404, expose: false });
  });
  router.all('/exposed-500', () => {
    throw Object.assign(new Error(SECRET), { status: 500, expose: true });
  });
  router.all('/decoded-wrongly', () => {
    decodeURIComponent('%zz');
  });
  router.all('/half', (_request, response) => {
    response.write('half an answer');
    throw new Error(SECRET);
  });
  router.all('/slow', async (_request, response) => {
    await released;
    response.json({ slow: true });
  });
  server = await serve(router, recording.log);
});

afterEach(async () => {
  release();
  await server.close();
});

function ok(_request: unknown, response: { json: (body: object) => void }): void {
  response.json({ ok: true });
}

describe('a path', () => {
  test.each([
    '/',
    '/unknown',
    '/only/',
    '/ONLY',
    '//only',
    '/only%2F',
    '/only%00',
    '/status',
    '/status/',
    '/status/a/b',
    '/status/%zz',
    '/status/%',
    '/status/%E0%A4%A',
    '/status/%ff',
    '/%zz',
    '/../only/x',
  ])('that does not exist is the one 404: %s', async (path) => {
    for (const method of ['GET', 'POST', 'PUT']) {
      const { status, body, headers } = await ask(server.url, path, { method });
      expect([method, status, body]).toEqual([method, 404, '{"error":"not_found"}']);
      expect(headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
      });
    }
    expect(lines).toEqual([]);
  });

  test.each([
    ['/status/a%2Fb', 'a/b'],
    ['/status/%00', '\u0000'],
    ['/status/%D0%B6', 'ж'],
    ['/status/..%2f..', '../..'],
    ['/status/a?b=%zz', 'a'],
  ])('%s has the one parameter %j', async (path, id) => {
    const { status, body } = await ask(server.url, path);
    expect([status, (JSON.parse(body) as { id: string }).id]).toEqual([200, id]);
  });

  test.each(['/only', '/unknown'])(
    '%s says which request it was, and hides what we run',
    async (path) => {
      const first = await ask(server.url, path);
      const second = await ask(server.url, path);
      expect(first.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(first.headers['x-request-id']).not.toBe(second.headers['x-request-id']);
      expect(first.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
      for (const name of ['x-powered-by', 'etag', 'server'])
        expect(first.headers[name]).toBe(undefined);
    },
  );

  test.each(['/only', '/unknown', '/fault'])(
    '%s is shown in no frame, runs nothing and is asked for by TLS alone',
    async (path) => {
      const { headers } = await ask(server.url, path);
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
    },
  );
});

describe('a method', () => {
  test.each(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    '%s of a webhook is a 405 that names those there are',
    async (method) => {
      const { status, headers, body } = await ask(server.url, '/hook', { method });
      expect([status, headers.allow]).toEqual([405, 'GET, POST']);
      expect(body).toBe(method === 'HEAD' ? '' : '{"error":"method_not_allowed"}');
    },
  );

  test.each(['GET', 'POST'])('%s of it is answered', async (method) => {
    expect(await ask(server.url, '/hook', { method })).toMatchObject({
      status: 200,
      body: '{"ok":true}',
    });
  });
});

describe('an error', () => {
  test('that is the sender’s is answered as it stands, and no line is written', async () => {
    const { status, headers, body } = await ask(server.url, '/refuse');
    expect([status, headers['x-why'], body]).toEqual([409, 'twice', '{"error":"taken"}']);
    expect(lines).toEqual([]);
  });

  test.each(['/fault', '/late-fault', '/axios', '/unexposed', '/exposed-500', '/decoded-wrongly'])(
    'that is ours is a 503 without a word of it: %s',
    async (path) => {
      const { status, headers, body } = await ask(server.url, path);
      expect([status, headers['retry-after'], body]).toEqual([
        503,
        '30',
        '{"error":"unavailable"}',
      ]);
      expect(JSON.stringify(headers)).not.toContain('hunter2');
      expect(lines).toEqual([
        {
          level: 'error',
          message: 'request failed',
          meta: { error: expect.any(Error) as Error, requestId: headers['x-request-id'] },
        },
      ]);
    },
  );

  test('in the middle of an answer ends the connection, and is told', async () => {
    await expect(ask(server.url, '/half')).rejects.toThrow(/socket hang up|aborted/);
    expect(lines).toMatchObject([{ level: 'error', message: 'request failed' }]);
  });
});

describe('the server', () => {
  test('answers what is no HTTP with a 400, and goes on', async () => {
    expect(await talk(server.url, 'GET /only\r\nno header\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect((await ask(server.url, '/only')).status).toBe(200);
  });

  test('that closes answers what is under way first, and takes no more', async () => {
    const answer = ask(server.url, '/slow');
    const kept = await fetch(`${server.url}/only`); // leaves an idle connection open
    await kept.text();

    const closed = server.close();
    await waitFor(async () => !(await connects(server.port)), {
      what: 'the port to close',
    });
    release();
    expect((await answer).body).toBe('{"slow":true}');
    await closed;
  });

  test('keeps an idle connection for longer than Traefik, which may be about to use it', async () => {
    const response = await fetch(`${server.url}/only`);
    await response.text();
    expect(response.headers.get('keep-alive')).toBe('timeout=100');
  });

  test('names the port that is taken', async () => {
    const app = createApp({ log: noLog, trustProxy: 'loopback', router: createRouter() });
    await expect(listen(app, server.port, '127.0.0.1')).rejects.toThrow(
      `cannot listen on 127.0.0.1:${server.port}`,
    );
  });
});

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
