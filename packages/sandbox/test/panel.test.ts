import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { openPanel } from '../src/panel/panel.ts';
import { createSandbox, type Sandbox } from '../src/sandbox.ts';

const TOKEN = 'panel-token';
const LINKS = ['vless://id@de1.test:443#one', 'trojan://secret@de1.test:444#two'];

let sandbox: Sandbox;
let origin: string;
beforeEach(async () => {
  const subscribers = [{ server: 'de1', externalId: 'buyer/1', links: LINKS }];
  sandbox = createSandbox({
    doubles: [openPanel({ token: TOKEN, subscribers })],
    now: () => new Date(0),
  });
  origin = await sandbox.listen(0);
});
afterEach(() => sandbox.close());

function ask(server = 'de1', who = 'buyer/1', token = TOKEN): Promise<Response> {
  const url = `${origin}/panel/${server}/sub/${encodeURIComponent(who)}`;
  return fetch(url, { headers: { authorization: `Bearer ${token}` }, redirect: 'manual' });
}

async function turn(knob: string, value: object): Promise<number> {
  const response = await fetch(`${origin}/__sandbox/panel/${knob}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
  return response.status;
}

async function linksOf(response: Response): Promise<string> {
  return Buffer.from(await response.text(), 'base64').toString();
}

describe('the panel double', () => {
  test('gives a subscriber’s links as Base64 of lines', async () => {
    const response = await ask();
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await linksOf(response)).toBe(`${LINKS.join('\n')}\n`);
  });

  test('knows nobody else, and speaks to nobody without its token', async () => {
    expect((await ask('de1', 'stranger')).status).toBe(404);
    expect((await ask('nl2')).status).toBe(404);
    expect((await ask('de1', 'buyer/1', 'wrong')).status).toBe(401);
  });

  test('gives the links that it was last told, and forgets them at a reset', async () => {
    const links = ['vless://other@de1.test:443'];
    expect(await turn('subscribers', { server: 'de1', externalId: 'buyer/1', links })).toBe(200);
    expect(await linksOf(await ask())).toBe(`${links.join('')}\n`);
    await fetch(`${origin}/__sandbox/reset`, { method: 'POST' });
    expect(await linksOf(await ask())).toBe(`${LINKS.join('\n')}\n`);
  });

  test('fails as it is told, as often as it is told, on that server alone', async () => {
    await turn('faults', { server: 'de1', fault: 'status', status: 502, times: 2 });
    expect((await ask()).status).toBe(502);
    expect((await ask('nl2')).status).toBe(404);
    expect((await ask()).status).toBe(502);
    expect((await ask()).status).toBe(200);

    await turn('faults', { server: 'de1', fault: 'html' });
    expect(await (await ask()).text()).toMatch(/^<!doctype html>/);
    await turn('faults', { server: 'de1', fault: 'empty' });
    expect(await (await ask()).text()).toBe('');
    await turn('faults', { server: 'de1', fault: 'reset' });
    await expect(ask()).rejects.toThrow('fetch failed');
    await turn('faults', { server: 'de1', fault: 'slow', ms: 10 });
    expect((await ask()).status).toBe(200);
  });

  test('fails from the call on that it is told, and with the words that it is told', async () => {
    const body = { error: 'too hot' };
    await turn('faults', { server: 'de1', fault: 'status', status: 418, body, after: 2, times: 1 });
    const statuses: number[] = [];
    for (let call = 0; call < 4; call += 1) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 200, 418, 200]);
    await turn('faults', { server: 'de1', fault: 'status', status: 502, body: '<html>' });
    expect(await (await ask()).text()).toBe('<html>');
  });

  test('hangs until the fault is taken away', async () => {
    await turn('faults', { server: 'de1', fault: 'hang' });
    const answer = ask();
    const seen = async () => (await fetch(`${origin}/__sandbox/panel/requests`)).json();
    await waitFor(async () => ((await seen()) as unknown[]).length === 1);
    await turn('faults', { server: 'de1', fault: 'none' });
    expect((await answer).status).toBe(200);
  });

  test('says what it does not understand of a knob', async () => {
    expect(await turn('faults', { server: 'de1', fault: 'explode' })).toBe(400);
    expect(await turn('subscribers', { server: 'de1' })).toBe(400);
  });
});
