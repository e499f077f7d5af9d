import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  FOLDER,
  matches,
  readDynamic,
  readStatic,
  routerFor,
  type Router,
} from './configuration.ts';
import { WAYS } from './table.ts';

const dynamic = readDynamic();
const { routers, services, middlewares } = dynamic;
const ALL = Object.entries(routers);
const WEBHOOKS = ['cryptobot', 'telegram', 'sbp-callback', 'postback', 'nobody'];

test.for(WAYS)('$path goes to $to', ({ path, to }) => {
  const name = routerFor(dynamic, path, 'websecure');
  expect(routers[name ?? '']?.service).toBe(to);
});

test('no path has two routers of the same priority', () => {
  for (const { path } of WAYS) {
    const found = ALL.filter(
      ([, { rule, entryPoints }]) => entryPoints.includes('websecure') && matches(rule, path),
    );
    const priorities = found.map(([, { priority }]) => priority);
    expect(new Set(priorities).size, path).toBe(priorities.length);
  }
});

test('every router says where it listens, how much it weighs and what it leads to', () => {
  for (const [name, { entryPoints, priority, service, middlewares: used = [] }] of ALL) {
    expect(entryPoints, name).toHaveLength(1);
    expect(priority, name).toBeGreaterThan(0);
    expect([...Object.keys(services), 'noop@internal'], name).toContain(service);
    for (const middleware of used) expect(Object.keys(middlewares), name).toContain(middleware);
  }
});

test('no rule looks at the method, so that a wrong one is answered by the service', () => {
  expect(ALL.filter(([, { rule }]) => /Method|Header|Query/.test(rule))).toEqual([]);
});

test('no notification is ever limited, and everything else but the catch-all is', () => {
  const isLimited = ({ middlewares: used = [] }: Router): boolean =>
    used.some((name) => 'rateLimit' in (middlewares[name] ?? {}));
  const secure = ALL.filter(([, { entryPoints }]) => entryPoints.includes('websecure'));
  const unlimited = secure.filter(([, router]) => !isLimited(router)).map(([name]) => name);
  expect(unlimited.sort()).toEqual([...WEBHOOKS].sort());
});

test('nothing buffers, repeats or cuts short', () => {
  const kinds = Object.values(middlewares).flatMap(Object.keys);
  expect(new Set(kinds)).toEqual(new Set(['headers', 'rateLimit', 'redirectScheme']));
  const { entryPoints } = readStatic() as {
    entryPoints: { websecure: { transport: Record<string, Record<string, string>> } };
  };
  const { respondingTimeouts, lifeCycle } = entryPoints.websecure.transport;
  expect(respondingTimeouts).not.toHaveProperty('writeTimeout');
  for (const limit of [respondingTimeouts?.['readTimeout'], lifeCycle?.['graceTimeOut']]) {
    expect(Number.parseInt(limit ?? '0', 10)).toBeGreaterThan(25);
  }
});

test('what a secret may stand in is not logged', () => {
  const { accessLog, log } = readStatic() as {
    accessLog: { fields: { names: object; headers: object; queryParameters: object } };
    log: object;
  };
  expect(accessLog.fields).toMatchObject({
    names: { RequestPath: 'drop', RequestLine: 'drop' },
    headers: { defaultMode: 'drop' },
    queryParameters: { defaultMode: 'drop' },
  });
  expect(log).toMatchObject({ level: 'INFO' });
  expect(routers['postback']?.observability?.accessLogs).toBe(false);
  expect(routers['nobody']?.observability?.accessLogs).toBe(false);
});

test('over plain http people are sent on, and programs are not served', () => {
  for (const path of ['/pay/some-token', '/sub/some-token', '/admin', '/admin/queues'])
    expect(routerFor(dynamic, path, 'web')).toBe('people');
  const others = WAYS.filter(({ path }) => !/^\/(pay\/|sub\/|admin(\/|$))/.test(path));
  for (const { path } of others) expect(routerFor(dynamic, path, 'web'), path).toBeNull();
});

test('each TLS mode has its file, none below TLS 1.2, and Docker is not asked for anything', () => {
  const modes = readdirSync(join(FOLDER, 'tls')).map((name) => name.replace('.yml', ''));
  expect(modes.sort()).toEqual(['acme', 'acme-ip', 'external', 'selfsigned']);
  for (const mode of modes) {
    const file: unknown = parse(readFileSync(join(FOLDER, 'tls', `${mode}.yml`), 'utf8'));
    expect(file).toMatchObject({ tls: { options: { default: { minVersion: 'VersionTLS12' } } } });
  }
  const { providers, api } = readStatic();
  expect(providers).toEqual({ file: { directory: '/etc/traefik/dynamic', watch: false } });
  expect(api).toEqual({ dashboard: false, insecure: false });
});
