import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { createRouter, methods } from '@kopeck/runtime/http-app';
import { intake } from '@kopeck/runtime/intake';
import { JournalUnavailable } from '@kopeck/runtime/journal';
import type { Listening } from '@kopeck/runtime/listen';
import { createMetrics, type Metrics } from '@kopeck/runtime/metrics';
import { ask, serve, talk, type Asked } from './http-client.ts';
import { recordingLog, type Line } from './recording-log.ts';
import { KEY, tinyEvent, tinySource } from './tiny-source.ts';

const NOW = new Date('2026-10-05T12:00:00Z');
const LIMIT = 65_536;
const JSON_TYPE = { 'content-type': 'application/json' };

let server: Listening;
let events: KopeckEvent[];
let steps: string[];
let lines: Line[];
let metrics: Metrics;
let isFull: boolean;
let clock: number;

beforeEach(async () => {
  events = [];
  steps = [];
  isFull = false;
  clock = NOW.getTime();
  metrics = createMetrics('test');
  const recording = recordingLog();
  lines = recording.lines;
  const deps = {
    log: recording.log,
    metrics,
    now: () => new Date(clock),
    mediaTypes: ['application/json'],
    append: async (event: KopeckEvent) => {
      if (isFull) throw new JournalUnavailable('the journal is full');
      events.push(event);
      return events.filter(({ id }) => id === event.id).length > 1 ? 'duplicate' : 'accepted';
    },
  } as const;

  const router = createRouter();
  const body = intake(tinySource('body', steps), deps);
  router.all('/body', methods({ GET: body, POST: body }));
  router.all('/head', methods({ POST: intake(tinySource('head', steps), deps) }));
  router.all(
    '/wide',
    methods({ POST: intake(tinySource('head'), { ...deps, limitBytes: 262_144 }) }),
  );
  server = await serve(router, recording.log);
});

afterEach(() => server.close());

function send(path: string, body: string | Buffer, asked: Asked = {}) {
  const headers = { ...JSON_TYPE, key: KEY, ...asked.headers };
  return ask(server.url, path, { method: 'POST', ...asked, headers, body });
}

describe('a delivery', () => {
  test('is accepted, and its repeat a duplicate: exactly 200, with its id', async () => {
    const { id } = tinyEvent('7', NOW);
    const answers = [await send('/body', '{"id":7}'), await send('/body', '{"id":"7"}')];
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, `{"status":"accepted","id":"${id}"}`],
      [200, `{"status":"duplicate","id":"${id}"}`],
    ]);
    expect(answers[0]?.headers['cache-control']).toBe('no-store');
    expect(events[0]).toEqual(tinyEvent('7', NOW));
  });

  test.each([
    ['authentic but not for us', '{"id":"ping"}', 200, /^\{"status":"ignored"\}$/],
    ['authentic but senseless', 'no sense', 200, /^\{"status":"accepted","id":"epn.quarantined\./],
    ['empty', '', 200, /^\{"status":"accepted","id":"epn.quarantined\./],
    [
      'senseless where a 400 is wanted',
      '{"id":"macro"}',
      400,
      /^\{"error":"macro was not replaced"\}$/,
    ],
  ])('%s is answered as the contract says', async (_what, content, status, body) => {
    const answer = await send('/body', content);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(body);
  });

  test.each([
    ['forged', 'wrong', 401, '{"error":"forged"}'],
    ['hidden', 'hidden', 404, '{"error":"not_found"}'],
    ['not configured', 'none', 503, '{"error":"unconfigured"}'],
  ])('that is %s is refused, and nothing of it is kept', async (_what, key, status, body) => {
    for (const path of ['/body', '/head']) {
      const answer = await send(path, '{"id":7}', { headers: { key } });
      expect([path, answer.status, answer.body]).toEqual([path, status, body]);
      expect(answer.headers['retry-after']).toBe(status === 503 ? '30' : undefined);
    }
    expect(events).toEqual([]);
  });

  test('without what proves it is malformed', async () => {
    const answer = await ask(server.url, '/body', {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{}',
    });
    expect([answer.status, answer.body]).toEqual([400, '{"error":"malformed"}']);
  });

  test('that cannot be kept is a 503, and the reason stays with us', async () => {
    isFull = true;
    const answer = await send('/body', '{"id":7}');
    expect([answer.status, answer.headers['retry-after'], answer.body]).toEqual([
      503,
      '30',
      '{"error":"unavailable"}',
    ]);
  });

  test('that asks what nobody answers is a fault of ours', async () => {
    expect((await send('/body', '{"id":"ask"}')).status).toBe(503);
  });

  test('that a stranger sends sixty times is twenty lines a minute, and sixty counts', async () => {
    for (let each = 0; each < 60; each += 1)
      await send('/head', '{"id":7}', { headers: { key: 'wrong' } });
    expect(lines).toHaveLength(20);
    expect(await metrics.text()).toMatch(/outcome="rejected",.*\} 60/);

    clock += 60_000;
    await send('/head', '{"id":7}', { headers: { key: 'wrong' } });
    await send('/head', '{"id":7}', { headers: { key: 'wrong' } });
    await send('/body', '{"id":7}');
    expect(lines.slice(20).map(({ meta }) => meta['unlogged'])).toEqual([40, undefined, undefined]);
  });

  test('is one line and one count, whatever becomes of it', async () => {
    await send('/body', '{"id":7}');
    await send('/body', 'no sense');
    await send('/head', 'no sense', { headers: { key: 'wrong' } });
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'delivery accepted'],
      ['warn', 'delivery quarantined'],
      ['warn', 'delivery rejected'],
    ]);
    expect(lines[0]?.meta).toEqual({
      source: 'epn',
      event: events[0]?.id,
      requestId: expect.any(String) as string,
    });
    const text = await metrics.text();
    for (const outcome of ['accepted', 'quarantined', 'rejected']) {
      expect(text).toMatch(
        new RegExp(`kopeck_deliveries_total\\{source="epn",outcome="${outcome}",.*\\} 1`),
      );
    }
  });

  test('is seen as it came: the bytes, the query undecoded', async () => {
    await send('/body?id=%41&x=%zz', '');
    expect(events[0]?.subject).toBe('affiliate:epn_bz:A');

    const bytes = Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0xd0]);
    await send('/body', bytes);
    expect(events[1]?.evidence).toContain(bytes.toString('base64'));
  });
});

describe('a body', () => {
  const ofSize = (bytes: number): string => `{"id":"${'x'.repeat(bytes - 9)}"}`;

  test('of 64 KiB is read, and of one byte more is a 413', async () => {
    const largest = await send('/body', ofSize(LIMIT));
    expect(largest.status).toBe(200);

    const larger = await send('/body', ofSize(LIMIT + 1));
    expect([larger.status, larger.body]).toEqual([413, '{"error":"too_large"}']);
    const chunked = { headers: { 'transfer-encoding': 'chunked' } };
    expect((await send('/body', ofSize(LIMIT + 1), chunked)).status).toBe(413);
    expect((await send('/body', ofSize(LIMIT), chunked)).status).toBe(200);
    expect(events).toHaveLength(2);
  });

  test('may be larger where the partner’s are', async () => {
    expect((await send('/wide', ofSize(262_144))).status).toBe(200);
    expect((await send('/wide', ofSize(262_145))).status).toBe(413);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/json-patch+json',
    '',
  ])('of the type %j is a 415', async (type) => {
    const answer = await send('/body', '{"id":7}', { headers: { 'content-type': type } });
    expect([answer.status, answer.body]).toEqual([415, '{"error":"unsupported_media_type"}']);
    expect(events).toEqual([]);
  });

  test.each([
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/json;charset=nonsense',
    'application/json ;',
  ])('of the type %j is read', async (type) => {
    expect((await send('/body', '{"id":7}', { headers: { 'content-type': type } })).status).toBe(
      200,
    );
  });

  test('that is not there needs no type', async () => {
    const answer = await ask(server.url, '/body?id=7', { headers: { key: KEY } });
    expect(answer.status).toBe(200);
  });

  test.each(['gzip', 'deflate', 'br', 'nonsense'])(
    'compressed by %s is a 415',
    async (encoding) => {
      const headers = { 'content-encoding': encoding };
      expect((await send('/body', gzipSync('{"id":7}'), { headers })).status).toBe(415);
      expect(events).toEqual([]);
    },
  );

  test.each(['', 'null', '[]', '"text"', '1e999', '{"id":{}}', '{"__proto__":{"id":"7"}}'])(
    'that makes no sense is kept: %j',
    async (content) => {
      expect((await send('/body', content)).status).toBe(200);
      expect(events.map(({ type }) => type)).toEqual(['quarantined']);
    },
  );
});

describe('a source that its head proves', () => {
  test('answers a forger at once, and never reads his body', async () => {
    const head =
      'POST /head HTTP/1.1\r\nHost: x\r\nkey: wrong\r\nContent-Type: application/json\r\n' +
      'Content-Length: 60000\r\n\r\n{"id":';
    const said = await talk(server.url, head);
    expect(said).toMatch(/^HTTP\/1.1 401 /);
    expect(said).toMatch(/\r\nConnection: close\r\n/i);
    expect(steps).toEqual(['verify 0']);
  });

  test('refuses a forger before it minds size or type', async () => {
    const wrong = { key: 'wrong', 'content-type': 'text/plain' };
    expect((await send('/head', 'x', { headers: wrong })).status).toBe(401);
  });

  test('reads the body of whoever is proved, and keeps the connection', async () => {
    const answer = await send('/head', '{"id":7}');
    expect(answer.status).toBe(200);
    expect(steps).toEqual(['verify 0', 'verify 8', 'parse 8']);
  });

  test('that is hidden answers with the very bytes of a path that does not exist', async () => {
    const ended = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nkey: hidden\r\nContent-Type: application/json\r\n` +
      'Content-Length: 2\r\n\r\n{}GET /unknown HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const changing = /^(X-Request-Id|Date): .*$/gm;
    const hidden = (await talk(server.url, ended('/head'))).replaceAll(changing, '');
    const unknown = (await talk(server.url, ended('/nothing'))).replaceAll(changing, '');
    expect(hidden).toMatch(/^HTTP\/1.1 404 /);
    expect(hidden).toBe(unknown);
  });
});

describe('a source that its body proves', () => {
  test('is verified once, on the whole body, before anything is read from it', async () => {
    await send('/body', '{"id":7}');
    expect(steps).toEqual(['verify 8', 'parse 8']);
  });
});
