import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json as jsonOf } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import * as ours from './running-sbp.ts';

// docs/adding-a-source.md is taken at its word: its folder and its line, and nothing else, make a provider.

const KEY = 'mybank-secret-mybank-secret-mybank-secret';
const LINK = 'https://qr.nspk.ru/AD100004BAL7227F9BNP6KNE007J9B3K';
const SERVICE = join(import.meta.dirname, '..');
const ROOT = join(SERVICE, '../..');

let dir: string;
let copy: typeof ours;
let database: ours.SbpDatabase;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kopeck-provider-'));
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  for (const folder of ['src', 'test']) {
    cpSync(join(SERVICE, folder), join(dir, 'sbp', folder), { recursive: true });
  }
  addProvider(readFileSync(join(ROOT, 'docs/adding-a-source.md'), 'utf8'), join(dir, 'sbp/src'));
  copy = (await import(join(dir, 'sbp/test/running-sbp.ts'))) as typeof ours;
  database = await ours.createSbpDatabase();
});
afterAll(async () => {
  await database.drop();
  rmSync(dir, { recursive: true });
});

test('a provider is one folder and one line: it makes a code, is heard, and its payment is booked', async () => {
  const bank = await openMybank();
  const sbp = await copy.startTestSbp(database, {
    env: { MYBANK_URL: bank.url, MYBANK_KEY: KEY },
    hasCallbacks: false,
  });
  const wanted = { amount: '100.50', orderId: 'order-1', provider: 'mybank' };
  const made = await ours.postPayment(sbp, wanted);
  expect({ status: made.status, body: made.body }).toMatchObject({
    status: 200,
    body: { provider: 'mybank', qr: LINK, qrcId: LINK.slice(-32) },
  });

  bank.code.state = 'DONE';
  const body = JSON.stringify({ order: bank.code.order });
  const url = `${sbp.url}/webhook/sbp/mybank`;
  const send = (signature: string) =>
    ours.call(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Signature': signature },
      body,
    });
  expect((await send('00'.repeat(32))).status).toBe(401);
  expect((await send(createHmac('sha256', KEY).update(body).digest('hex'))).status).toBe(200);
  await waitFor(async () => (await ours.getStatus(sbp, 'order-1')).body['status'] === 'paid');
  expect(sbp.events.at(-1)).toMatchObject({
    type: 'payment.paid',
    data: { provider: 'mybank', paid: { asset: 'RUB', amount: '100.5' } },
  });
  expect(sbp.lines.join('\n')).not.toContain(KEY);
  await sbp.close();
  await bank.close();
});

/** The files and the line that the page shows, at the places that it names. */
function addProvider(page: string, src: string): void {
  const files = [...page.matchAll(/^`mybank\/(\w+\.ts)`\n\n```ts\n([^]*?)```$/gm)];
  const names = files.map(([, name]) => name);
  expect(names).toEqual(['config.ts', 'client.ts', 'callback.ts', 'states.ts', 'provider.ts']);
  mkdirSync(join(src, 'mybank'));
  for (const [, name = '', text = ''] of files) writeFileSync(join(src, 'mybank', name), text);

  const [, line = ''] = /```ts\n( {2}mybank: [^\n]*\n)```/.exec(page) ?? [];
  const list = join(src, 'providers.ts');
  const before = readFileSync(list, 'utf8');
  const last = /^ {2}bridge: .*\n/m;
  expect(before).toMatch(last);
  writeFileSync(
    list,
    before.replace(last, (bridge) => bridge + line),
  );
}

interface Code {
  order: string;
  kopecks: number;
  state: string;
}

async function openMybank() {
  const code: Code = { order: '', kopecks: 0, state: 'WAITING' };
  const server = createServer((request, response) => {
    expect(request.headers['x-api-key']).toBe(KEY);
    const answer = (): void => {
      const paidKopecks = code.state === 'DONE' ? code.kopecks : 0;
      response.end(JSON.stringify({ id: 'code-1', link: LINK, ...code, paidKopecks }));
    };
    if (request.method === 'GET') return answer();
    void jsonOf(request).then((body) => {
      Object.assign(code, body);
      answer();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    code,
    close: async (): Promise<void> => {
      server.close();
      server.closeAllConnections();
    },
  };
}
