import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPanel as openPanelDouble, type Logged } from '@kopeck/sandbox/panel/panel';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';
import { openPanel, type PanelConfig } from '../src/panels/open-panels.ts';
import { PanelError, type PanelErrorKind, type VpnPanel } from '../src/panels/port.ts';
import { DIALECTS, TOKEN, type DialectCase } from './dialects.ts';

let sandbox: Sandbox;
let origin: string;
let ahead = 0;
const now = (): Date => new Date(Date.now() + ahead);

beforeAll(async () => {
  const servers = DIALECTS.map(({ server }) => server);
  const subscribers = DIALECTS.map(({ subscriber }) => subscriber);
  const double = openPanelDouble({ token: 'unused', subscribers, servers });
  sandbox = createSandbox({ doubles: [double], now: () => new Date() });
  origin = await sandbox.listen(0);
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  ahead = 0;
  await fetch(`${origin}/__sandbox/reset`, { method: 'POST' });
});

const soon = (): AbortSignal => AbortSignal.timeout(5_000);

async function turn(knob: string, value: object): Promise<void> {
  const response = await fetch(`${origin}/__sandbox/panel/${knob}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
  expect(response.status).toBe(200);
}

async function logins(): Promise<number> {
  const log = (await (await fetch(`${origin}/__sandbox/panel/log`)).json()) as Logged[];
  return log.filter(({ path }) => path === '/login' || path === '/api/admin/token').length;
}

function open({ config }: DialectCase, more: object = {}): VpnPanel {
  return openPanel({ ...config(origin), ...more }, now);
}

function named(name: string): DialectCase {
  const found = DIALECTS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no dialect ${name}`);
  return found;
}

const hasLogin = ({ server }: DialectCase): boolean => /3x-ui|marzban|pasarguard/.test(server.kind);

const isAskedForText = ({ name }: DialectCase): boolean =>
  ['3x-ui 2.8.11', '3x-ui 3.0.1', 'pasarguard 5.2.1'].includes(name);

/** As far as each shows it. */
const VERSIONS: Readonly<Record<string, string>> = {
  '3x-ui 2.8.11': '2.x',
  '3x-ui 3.0.1': '3.0',
  '3x-ui 3.0.2': '3.0',
  '3x-ui 3.6.0': '3.1 or newer',
  'marzban 0.8.4': '0.8.4',
  'pasarguard 5.2.1': '5.2.1',
  'remnawave 2.8.1': '2.x',
  'remnawave 3.3.2': '3.x',
  'hiddify 10.80.0': 'API v2',
};

async function kindOf(work: Promise<unknown>): Promise<PanelErrorKind | 'no error'> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    expect(error).toBeInstanceOf(PanelError);
    return (error as PanelError).kind;
  }
}

describe.each(DIALECTS)('$name', (dialect) => {
  const { ref, server, subscriber } = dialect;

  test('gives links and usage; twenty at once share one login', async () => {
    const panel = open(dialect, { concurrency: 64 });
    const all = await Promise.all(Array.from({ length: 20 }, () => panel.fetch(ref, soon())));
    expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(all[0]?.links).toEqual(subscriber.links);
    expect(all[0]?.usage).toMatchObject({ usedBytes: 1_288_490_188n, limitBytes: 53_687_091_200n });
    expect(await logins()).toBe(hasLogin(dialect) ? 1 : 0);
  });

  test('knows an unknown subscriber from one without links', async () => {
    const panel = open(dialect);
    const stranger = {
      ...ref,
      externalId: '00000000-7c0d-4f3b-9a41-2d9c8e70b615',
      subscriptionId: 'x',
    };
    expect(await kindOf(panel.fetch(stranger, soon()))).toBe('not_found');
    await turn('faults', { server: server.id, fault: 'emptyLinks' });
    expect(await kindOf(panel.fetch(ref, soon()))).toBe('empty');
  });

  test.each([
    ['reset', {}, 'connection'],
    ['refuse', {}, 'connection'],
    ['status', { status: 503 }, 'busy'],
    ['status', { status: 418, body: 'a teapot' }, 'protocol'],
    ['rateLimit', { perSecond: 1 }, 'rate_limited'],
    ['lockedDb', {}, 'busy'],
    ['html', {}, 'protocol'],
    ['flap', { every: 2 }, 'connection'],
  ] as const)('says what is wrong at %s', async (fault, more, kind) => {
    const panel = open(dialect);
    await panel.fetch(ref, soon());
    await turn('faults', { server: server.id, fault, ...more });
    const first = await kindOf(panel.fetch(ref, soon()));
    const second = await kindOf(panel.fetch(ref, soon()));
    expect([first, second]).toContain(kind);
  });

  test('takes a late answer, and none that is cut', async () => {
    const panel = open(dialect);
    await turn('faults', { server: server.id, fault: 'slow', ms: 30 });
    expect((await panel.fetch(ref, soon())).links).toEqual(subscriber.links);
    await turn('faults', { server: server.id, fault: 'truncatedBase64' });
    const kind = await kindOf(panel.fetch(ref, soon()));
    expect(kind).toBe(isAskedForText(dialect) ? 'protocol' : 'no error');
  });

  test('is probed: its version, and whether it lets us in', async () => {
    const panel = open(dialect);
    expect(await panel.probe(soon())).toBe(VERSIONS[dialect.name]);
    const wrong = open(dialect, hasLogin(dialect) ? { password: 'wrong' } : { token: 'wrong' });
    expect(await kindOf(wrong.probe(soon()))).toBe('auth');
    expect(panel.capabilities.revoke === 'none').toBe(panel.reissue === undefined);
    expect(panel.capabilities.bulkFetch).toBe(panel.fetchMany !== undefined);
  });

  test('hangs no longer than its caller wants, and is well again afterwards', async () => {
    const panel = open(dialect);
    await panel.fetch(ref, soon());
    await turn('faults', { server: server.id, fault: 'hang' });
    expect(await kindOf(panel.fetch(ref, AbortSignal.timeout(60)))).toBe('timeout');
    await turn('faults', { server: server.id, fault: 'none' });
    expect((await panel.fetch(ref, soon())).links).toEqual(subscriber.links);
  });
});

describe.each(DIALECTS.filter(hasLogin))('$name, with a login,', (dialect) => {
  const { ref, server, subscriber } = dialect;

  test('logs in once more when its session has ended', async () => {
    const panel = open(dialect);
    await panel.fetch(ref, soon());
    await turn('faults', { server: server.id, fault: 'expireSession', after: 1, times: 1 });
    const both = await Promise.all([panel.fetch(ref, soon()), panel.fetch(ref, soon())]);
    expect(both.map(({ links }) => links)).toEqual([subscriber.links, subscriber.links]);
    expect(await logins()).toBe(2);
  });

  test('stops after two refused logins, before the panel locks it out', async () => {
    const panel = open(dialect, { password: 'wrong' });
    for (let time = 0; time < 5; time += 1)
      expect(await kindOf(panel.fetch(ref, soon()))).toBe('auth');
    expect(await logins()).toBe(2);
    ahead = 16 * 60_000;
    expect(await kindOf(panel.fetch(ref, soon()))).toBe('auth');
    expect(await logins()).toBe(3);
  });
});

describe.each(DIALECTS.filter(({ server }) => server.kind !== 'hiddify'))('$name', (dialect) => {
  const { ref, server } = dialect;

  test('reissues: the old address is dead, the new one lives', async () => {
    const panel = open(dialect);
    const before = await panel.fetch(ref, soon());
    const after = await panel.reissue?.(ref, soon());
    expect(after?.fingerprint).not.toBe(before.fingerprint);
    if (after === undefined) throw new Error('no reissue');
    expect((await panel.fetch(after.newRef, soon())).fingerprint).toBe(after.fingerprint);
    if (server.kind === 'remnawave')
      expect(await kindOf(panel.fetch({ ...ref, externalId: 'gone' }, soon()))).toBe('not_found');
  });
});

test.each([
  ['trojan', 'old-password', /^.{24}$/],
  ['shadowsocks', 'AAAAAAAAAAAAAAAAAAAAAA==', /^[A-Za-z0-9+/]{22}==$/],
] as const)(
  'an old 3x-ui reissues a client of %s, whom it calls otherwise than by a uuid',
  async (protocol, password, form) => {
    const dialect = named('3x-ui 2.8.11');
    const links = [`trojan://${password}@de1.vpn-fixture.test:443#DE`];
    await turn('subscribers', { ...dialect.subscriber, protocol, uuid: password, links });
    const panel = open(dialect);
    const before = await panel.fetch(dialect.ref, soon());
    const after = await panel.reissue?.(dialect.ref, soon());
    const [, other = ''] = /^trojan:\/\/(.+)@/.exec(after?.links[0] ?? '') ?? [];
    expect(other).toMatch(form);
    expect(other).not.toBe(password);
    expect(after?.subscriptionUrl).not.toBe(before.subscriptionUrl);
  },
);

test.each(['3x-ui 2.8.11', '3x-ui 3.0.2', '3x-ui 3.6.0'])(
  '%s gives its links although the subId that we keep is an old one',
  async (name) => {
    const dialect = named(name);
    const ref = { ...dialect.ref, subscriptionId: 'of-yesterday' };
    expect((await open(dialect).fetch(ref, soon())).links).toEqual(dialect.subscriber.links);
  },
);

test.each(['marzban 0.8.4', 'pasarguard 5.2.1'])(
  '%s gives a token for a day, which is used until a minute before its end',
  async (name) => {
    const dialect = named(name);
    const panel = open(dialect);
    const loginsAfter = async (seconds: number): Promise<number> => {
      await turn('advance', { seconds: seconds - ahead / 1_000 });
      ahead = seconds * 1_000;
      await panel.fetch(dialect.ref, soon());
      return logins();
    };
    // With ten seconds for what the test itself takes.
    const minuteBefore = 1_440 * 60 - 60;
    const counts = [];
    for (const seconds of [0, minuteBefore - 10, minuteBefore + 1, minuteBefore + 1])
      counts.push(await loginsAfter(seconds));
    expect(counts).toEqual([1, 1, 2, 2]);
  },
);

test.each(['3x-ui 2.8.11', '3x-ui 3.0.1', '3x-ui 3.0.2', '3x-ui 3.6.0'])(
  '%s ends a session six hours after its login, however much it was used, and is entered anew',
  async (name) => {
    const dialect = named(name);
    const panel = open(dialect);
    const counts = [];
    for (const minutes of [0, 200, 159, 2, 0]) {
      await turn('advance', { seconds: minutes * 60 });
      expect((await panel.fetch(dialect.ref, soon())).links).toEqual(dialect.subscriber.links);
      counts.push(await logins());
    }
    expect(counts).toEqual([1, 1, 1, 2, 2]);
  },
);

test('a pasarguard is asked with an API key, and logged in to by nobody', async () => {
  const dialect = named('pasarguard 5.2.1');
  const withKey = (apiKey: string) =>
    open(dialect, { username: undefined, password: undefined, apiKey });
  const { links } = await withKey(TOKEN).fetch(dialect.ref, soon());
  expect(links).toEqual(dialect.subscriber.links);
  expect(await kindOf(withKey('wrong').fetch(dialect.ref, soon()))).toBe('auth');
  expect(await logins()).toBe(0);
});

test('a 3x-ui gives its subscriptions on port 2096 of its host unless it is said otherwise', async () => {
  const dialect = named('3x-ui 3.6.0');
  const panel = open(dialect, { subscriptionUrl: undefined });
  expect((await panel.fetch(dialect.ref, soon())).subscriptionUrl).toMatch(
    /^http:\/\/127\.0\.0\.1:2096\/sub\/[0-9a-f]{16}$/,
  );
});

test('a 3x-ui that was updated under its token is asked in its new words', async () => {
  const { ref, server, subscriber, config } = named('3x-ui 3.0.2');
  const token = { username: undefined, password: undefined, token: server.token };
  const panel = openPanel({ ...config(origin), ...token } as PanelConfig, now);
  await panel.fetch(ref, soon());
  await turn('servers', { ...server, version: '3.6.0' });
  expect((await panel.fetch(ref, soon())).links).toEqual(subscriber.links);
});

test('a marzban that shuffles its parameters gives the same fingerprint when told which', async () => {
  const dialect = named('marzban 0.8.4');
  const panel = open(dialect, { volatile: ['sni'] });
  const before = await panel.fetch(dialect.ref, soon());
  const links = dialect.subscriber.links.map((link) => link.replace('a.test', 'b.test'));
  await turn('subscribers', { ...dialect.subscriber, links });
  expect((await panel.fetch(dialect.ref, soon())).fingerprint).toBe(before.fingerprint);
});

test('a server that cannot be reached five times is left alone for a minute, then tried once', async () => {
  const dialect = named('remnawave 3.3.2');
  const panel = open(dialect);
  await turn('faults', { server: dialect.server.id, fault: 'reset' });
  for (let time = 0; time < 9; time += 1)
    expect(await kindOf(panel.fetch(dialect.ref, soon()))).toBe('connection');
  const asked = async (): Promise<number> =>
    ((await (await fetch(`${origin}/__sandbox/panel/log`)).json()) as Logged[]).length;
  expect(await asked()).toBe(5);
  ahead = 61_000;
  expect(await kindOf(panel.fetch(dialect.ref, soon()))).toBe('connection');
  expect(await kindOf(panel.fetch(dialect.ref, soon()))).toBe('connection');
  expect(await asked()).toBe(6);
  await turn('faults', { server: dialect.server.id, fault: 'none' });
  ahead = 122_000;
  expect(await kindOf(panel.fetch(dialect.ref, soon()))).toBe('no error');
});

test('whoever gives up before his turn says nothing of the panel, and takes nobody’s turn', async () => {
  const dialect = named('remnawave 3.3.2');
  const panel = open(dialect, { concurrency: 1, perSecond: 1 });
  await panel.probe(soon());
  const impatient = Array.from({ length: 8 }, () =>
    kindOf(panel.fetch(dialect.ref, AbortSignal.timeout(50))),
  );
  expect(new Set(await Promise.all(impatient))).toEqual(new Set(['rate_limited']));
  expect(await kindOf(panel.fetch(dialect.ref, soon()))).toBe('no error');
});

test('a breaker counts what the panel has done, and not what a caller did not wait for', async () => {
  const dialect = named('remnawave 3.3.2');
  const server = dialect.server.id;
  const panel = open(dialect);
  const times = (count: number, signal: () => AbortSignal): Promise<readonly string[]> =>
    Promise.all(Array.from({ length: count }, () => kindOf(panel.fetch(dialect.ref, signal()))));
  await turn('faults', { server, fault: 'hang' });
  const short = await times(6, () => AbortSignal.timeout(50));
  expect(short).toEqual(short.map(() => 'timeout'));
  await turn('faults', { server, fault: 'reset' });
  expect(await times(4, soon)).toEqual(['connection', 'connection', 'connection', 'connection']);
  expect(await times(1, () => AbortSignal.abort())).toEqual(['rate_limited']);
  expect(await times(1, soon)).toEqual(['connection']);
  await turn('faults', { server, fault: 'none' });
  expect(await times(1, soon)).toEqual(['connection']);
  const log = (await (await fetch(`${origin}/__sandbox/panel/log`)).json()) as Logged[];
  expect(log).toHaveLength(11);
});
