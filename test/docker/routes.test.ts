import { once } from 'node:events';
import { request as plain, type IncomingMessage } from 'node:http';
import { request as secure } from 'node:https';
import { expect, test } from 'vitest';
import { orderSbp } from '../rig/partners.ts';
import { UNKNOWN_PATH, WAYS, WRONG_TOKEN } from '../traefik/table.ts';
import { rigOf, stackUnderTest } from './stack.ts';

const stack = stackUnderTest();

interface Seen {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The path as it stands here: fetch would mend it. */
async function ask(path: string, { method = 'GET', base = stack.url } = {}): Promise<Seen> {
  const { hostname, port, protocol } = new URL(base);
  const send = protocol === 'https:' ? secure : plain;
  const sent = send({ hostname, port, path, method, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** What tells one answer from another; the rest is chance. */
function shown({ status, headers, body }: Seen): object {
  const { date: _date, 'x-request-id': _id, ...kept } = headers;
  return { status, headers: kept, body };
}

test.for(WAYS)('$path is answered $status by $to', async ({ path, to, status }) => {
  const seen = await ask(path);
  expect(seen.status).toBe(status);
  if (to === 'epn') expect(shown(seen)).toEqual(shown(await ask(UNKNOWN_PATH)));
});

test('a wrong secret cannot be told from a path that nobody has, whatever the method', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const [wrong, other, unknown] = await Promise.all([
      ask(`/webhook/${WRONG_TOKEN}`, { method }),
      ask(`/webhook/admitad/${WRONG_TOKEN}`, { method }),
      ask(UNKNOWN_PATH, { method }),
    ]);
    expect(shown(wrong), method).toEqual(shown(unknown));
    expect(shown(other), method).toEqual(shown(unknown));
  }
});

test('the right secret opens', async () => {
  const { status } = await ask(`/webhook/${stack.values['EPN_SECRET_TOKEN']}?click_id=1`);
  expect(status).toBe(400);
});

test('what is hidden behind percent signs is refused before any service sees it', async () => {
  for (const path of [
    '/webhook/%2Fcryptobot',
    '/webhook%2Fcryptobot',
    '/admin%00',
    '/api%5Chealth',
  ])
    expect((await ask(path)).status, path).toBe(400);
});

test('a wrong method is answered by the service, which names the right one', async () => {
  const ways = { '/webhook/cryptobot': 'POST', '/api/payment': 'POST', '/health': 'GET' };
  for (const [path, right] of Object.entries(ways)) {
    const { status, headers } = await ask(path, { method: 'DELETE' });
    expect(status, path).toBe(405);
    expect(headers.allow, path).toContain(right);
  }
});

test('over plain http people are sent to https, and a notification is not taken', async () => {
  const base = stack.plainUrl;
  for (const path of ['/pay/some-token', '/admin']) {
    const { status, headers } = await ask(path, { base });
    expect([301, 308]).toContain(status);
    expect(headers.location).toMatch(/^https:\/\//);
  }
  for (const path of [
    '/webhook/cryptobot',
    '/api/health',
    `/webhook/${stack.values['EPN_SECRET_TOKEN']}`,
  ])
    expect((await ask(path, { base, method: 'POST' })).status).toBe(404);
});

test('every answer forbids to guess types and to tell where one came from', async () => {
  for (const path of ['/health', '/api/health', UNKNOWN_PATH]) {
    const { headers } = await ask(path);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('server');
  }
});

test('server-sent events come as they happen, and are not cut before their own end', async () => {
  const { body } = await orderSbp(await rigOf(stack), 'docker-stream', '10');
  const path = new URL(String(body['payUrl'])).pathname;
  const { hostname, port } = new URL(stack.url);
  const sent = secure({ hostname, port, path: `${path}/events` });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(response.headers['content-type']).toContain('text/event-stream');
  let text = '';
  response.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  const ended = once(response, 'end');
  const first = once(response, 'data').then(() => 'data');
  expect(await Promise.race([first, ended.then(() => 'end')])).toBe('data');
  expect(text).toContain('retry: 1000');
  await ended;
  expect(text).toContain('event: status\ndata: pending\n\n');
  expect(response.complete).toBe(true);
});
