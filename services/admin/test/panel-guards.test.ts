import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPanel as openPanelDouble, type Logged } from '@kopeck/sandbox/panel/panel';
import { createSandbox, type Certificate, type Sandbox } from '@kopeck/sandbox/sandbox';
import { waitFor } from '@kopeck/testing/wait-for';
import { limited } from '../src/panels/limiter.ts';
import { openPanel, type PanelConfig } from '../src/panels/open-panels.ts';
import { PanelError, type VpnPanel } from '../src/panels/port.ts';
import type { TlsTrust } from '../src/panels/tls.ts';
import { AUTHORITY, pinOf, SELF_SIGNED, SIGNED } from './certificates.ts';
import { DIALECTS, LOGIN, type DialectCase } from './dialects.ts';

const now = (): Date => new Date();
const soon = (): AbortSignal => AbortSignal.timeout(5_000);

describe('the limiter of a server', () => {
  const answer = { status: 200, data: Buffer.alloc(0), header: () => '' };
  const request = { url: 'http://panel.test', headers: {}, signal: soon() };

  test('lets no more requests at once through than it bears, and all of them in the end', async () => {
    let open = 0;
    let most = 0;
    const send = limited(
      async () => {
        open += 1;
        most = Math.max(most, open);
        await delay(1);
        open -= 1;
        return answer;
      },
      { concurrency: 2, perSecond: 1_000_000, answerMs: 1_000, now },
    );
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(request)));
    expect(answers).toHaveLength(50);
    expect(most).toBe(2);
  });

  test('begins no more of them in a second than it bears', async () => {
    const begun: number[] = [];
    const send = limited(
      async () => {
        begun.push(performance.now());
        return answer;
      },
      { concurrency: 8, perSecond: 100, answerMs: 1_000, now },
    );
    await Promise.all(Array.from({ length: 21 }, () => send(request)));
    // Twenty pauses of 10 ms; a timer may be early by one.
    expect((begun.at(-1) ?? 0) - (begun[0] ?? 0)).toBeGreaterThan(180);
  });
});

test('a panel that sends more than a mebibyte, or elsewhere, is not listened to', async () => {
  const links = `vless://a@de1.vpn-fixture.test:443#${'x'.repeat(100)}\n`;
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    const isLong = request.url?.startsWith('/long') === true;
    if (isLong) response.end(links.repeat(10_000));
    else response.writeHead(302, { location: '/long/sub/b' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fetchAt = (path: string) =>
    openPanel({ kind: 'sandbox', url: `http://127.0.0.1:${port}/${path}`, token: 't' }, now).fetch(
      { serverId: 's', externalId: 'b' },
      soon(),
    );
  await expect(fetchAt('long')).rejects.toMatchObject({ kind: 'protocol' });
  await expect(fetchAt('elsewhere')).rejects.toMatchObject({ kind: 'protocol' });
  expect(asked).toBe(2);
  server.closeAllConnections();
  server.close();
});

describe('a marzban, which tells of many users at once,', () => {
  const ids = Array.from({ length: 120 }, (_none, index) => `Buyer_${index}`);
  const linksOf = (id: string): readonly string[] => [`vless://${id}@de1.vpn-fixture.test:443#r`];
  let sandbox: Sandbox;
  let origin: string;
  let panel: VpnPanel;
  beforeAll(async () => {
    const double = openPanelDouble({
      token: 'unused',
      subscribers: ids.map((externalId) => ({
        server: 'many',
        externalId,
        links: linksOf(externalId),
      })),
      servers: [{ id: 'many', kind: 'marzban', version: '0.8.4', ...LOGIN, token: '' }],
    });
    sandbox = createSandbox({ doubles: [double], now });
    origin = await sandbox.listen(0);
  });
  afterAll(() => sandbox.close());
  beforeEach(async () => {
    await fetch(`${origin}/__sandbox/reset`, { method: 'POST' });
    const url = `${origin}/panel/many`;
    panel = openPanel({ kind: 'marzban', url, ...LOGIN, perSecond: 1_000 }, now);
  });

  async function asked(): Promise<readonly string[]> {
    const log = (await (await fetch(`${origin}/__sandbox/panel/log`)).json()) as Logged[];
    return log.map(({ path }) => path);
  }
  const fetchOne = (externalId: string, signal = soon()) =>
    panel.fetch({ serverId: 'many', externalId }, signal);

  test('is asked for all who wait in a few requests, and each gets his own', async () => {
    const all = await Promise.all(ids.map((id) => fetchOne(id)));
    expect(all.map(({ links }) => links)).toEqual(ids.map(linksOf));
    const paths = await asked();
    expect(paths.filter((path) => path === '/api/admin/token')).toHaveLength(1);
    // One for the first who came, and then fifty at a time.
    expect(paths.filter((path) => path === '/api/users')).toHaveLength(4);
  });

  test('fails those alone whom it does not know or who have no links', async () => {
    await fetch(`${origin}/__sandbox/panel/subscribers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ server: 'many', externalId: 'Buyer_1', links: [] }),
    });
    const wanted = ['Buyer_0', 'Buyer_1', 'nobody', 'Buyer_2'];
    const results = await Promise.allSettled(wanted.map((id) => fetchOne(id)));
    expect(results).toMatchObject([
      { status: 'fulfilled' },
      { reason: { kind: 'empty' } },
      { reason: { kind: 'not_found' } },
      { status: 'fulfilled' },
    ]);
  });

  test('that hangs holds nobody longer than he wants to wait, and answers the others', async () => {
    const fault = (name: string) =>
      fetch(`${origin}/__sandbox/panel/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ server: 'many', fault: name }),
      });
    await fetchOne('Buyer_0');
    await fault('hang');
    const first = fetchOne('Buyer_1', AbortSignal.timeout(60));
    const patient = fetchOne('Buyer_2');
    await expect(first).rejects.toMatchObject({ kind: 'timeout' });
    await fault('none');
    expect((await patient).links).toEqual(linksOf('Buyer_2'));
    await waitFor(async () => (await asked()).length >= 4);
  });

  test('counts one failure for one request, however many waited for it', async () => {
    await fetchOne('Buyer_0');
    await fetch(`${origin}/__sandbox/panel/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ server: 'many', fault: 'reset', times: 2 }),
    });
    const results = await Promise.allSettled(ids.slice(0, 40).map((id) => fetchOne(id)));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect((await fetchOne('Buyer_3')).links).toEqual(linksOf('Buyer_3'));
  });
});

test('an old 3x-ui with more clients than one answer may hold is not asked for all of them', async () => {
  const [old] = DIALECTS as [DialectCase];
  const crowd = Array.from({ length: 5_000 }, (_none, index) => ({
    server: old.server.id,
    externalId: `buyer-${index}`,
    subscriptionId: `sub-${index}`,
    links: [`vless://${index}@de1.vpn-fixture.test:443#r`],
  }));
  const double = openPanelDouble({ token: '', subscribers: crowd, servers: [old.server] });
  const sandbox = createSandbox({ doubles: [double], now });
  const origin = await sandbox.listen(0);
  try {
    const panel = openPanel(old.config(origin), now);
    expect(await panel.probe(soon())).toBe('2.x');
    for (const { server, externalId, subscriptionId, links } of crowd.slice(0, 3)) {
      const found = await panel.fetch({ serverId: server, externalId, subscriptionId }, soon());
      expect(found.links).toEqual(links);
    }
    const log = (await (await fetch(`${origin}/__sandbox/panel/log`)).json()) as Logged[];
    const asked = (part: string) => log.filter(({ path }) => path.includes(part)).length;
    expect([asked('/inbounds/list'), asked('/getSubLinks/'), asked('/login')]).toEqual([0, 1, 1]);
    // The whole of it is what the panel cannot be asked for.
    const forgotten = { serverId: old.server.id, externalId: 'buyer-1' };
    await expect(panel.fetch(forgotten, soon())).rejects.toMatchObject({ kind: 'protocol' });
  } finally {
    await sandbox.close();
  }
});

describe('trust in certificates', () => {
  let sandbox: Sandbox;
  let plain: string;
  let selfSigned: string;
  let signed: string;
  beforeAll(async () => {
    const servers = DIALECTS.map(({ server }) => server);
    const subscribers = DIALECTS.map(({ subscriber }) => subscriber);
    const double = openPanelDouble({ token: 'unused', subscribers, servers });
    sandbox = createSandbox({ doubles: [double], now });
    plain = await sandbox.listen(0);
    const listen = (certificate: Certificate): Promise<string> => sandbox.listenTls(certificate);
    [selfSigned, signed] = [await listen(SELF_SIGNED), await listen(SIGNED)];
  });
  afterAll(() => sandbox.close());

  /** What a fetch of the dialect's subscriber comes to. */
  async function fetched({ config, ref }: DialectCase, origin: string, trust: TlsTrust = {}) {
    const told: PanelConfig = { ...config(origin), ...trust };
    try {
      return (await openPanel(told, now).fetch(ref, AbortSignal.timeout(5_000))).links.length;
    } catch (error) {
      return error instanceof PanelError ? error.kind : error;
    }
  }

  async function asked(): Promise<number> {
    return ((await (await fetch(`${plain}/__sandbox/panel/log`)).json()) as Logged[]).length;
  }

  describe.each(DIALECTS)('$name', (dialect) => {
    test('with a certificate that it has signed itself is believed by its fingerprint alone', async () => {
      const before = await asked();
      const pin = pinOf(SELF_SIGNED.cert);
      expect(await fetched(dialect, selfSigned)).toBe('tls_untrusted');
      expect(await fetched(dialect, selfSigned, { pinSha256: pinOf(SIGNED.cert) })).toBe(
        'tls_untrusted',
      );
      expect(await asked()).toBe(before);
      const colons = pin.toUpperCase().replaceAll(/(..)(?!$)/g, '$1:');
      for (const pinSha256 of [pin, colons])
        expect(await fetched(dialect, selfSigned, { pinSha256 })).toBe(1);
    });
  });

  describe('a certificate of an authority of the operator’s own', () => {
    const [dialect] = DIALECTS as [DialectCase];

    test('is believed with that authority, and without it not', async () => {
      expect(await fetched(dialect, signed)).toBe('tls_untrusted');
      expect(await fetched(dialect, signed, { caPem: AUTHORITY })).toBe(1);
      expect(await fetched(dialect, signed, { caPem: SELF_SIGNED.cert })).toBe('tls_untrusted');
    });

    test('is not believed for another name', async () => {
      const caPem = AUTHORITY;
      const elsewhere = signed.replace('127.0.0.1', 'localhost');
      expect(await fetched(dialect, elsewhere, { caPem })).toBe('tls_untrusted');
      expect(await fetched(dialect, selfSigned, { caPem: SELF_SIGNED.cert })).toBe('tls_untrusted');
    });

    test('may be pinned as well', async () => {
      expect(await fetched(dialect, signed, { pinSha256: pinOf(SIGNED.cert) })).toBe(1);
      expect(await fetched(dialect, signed, { pinSha256: pinOf(AUTHORITY) })).toBe('tls_untrusted');
    });
  });
});
