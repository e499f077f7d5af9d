import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { waitFor } from '@kopeck/testing/wait-for';
import { docker } from './docker.ts';
import { inspect, stackUnderTest } from './stack.ts';

const stack = stackUnderTest();
const { Image } = await inspect(stack, 'traefik');
const NAME = `${stack.project}-tls`;
const COMMON = {
  WEBHOOK_DOMAIN: 'pay.shop.test',
  HTTPS_PORT: '443',
  ACME_CA: 'https://ca.test/directory',
};

afterEach(async () => {
  await docker('rm', '--force', '--volumes', NAME);
});

/** As in docker-compose.yml, without a network. */
function options(env: Readonly<Record<string, string>>): readonly string[] {
  const given = Object.entries({ ACME_EMAIL: '', TRUSTED_PROXIES: '', ...COMMON, ...env });
  const hardened = '--network none --read-only --user 1000:1000 --cap-drop ALL';
  const writable = '--tmpfs /etc/traefik:uid=1000,mode=0700 --tmpfs /tmp';
  const files = ['--volume', `${stack.dir}/current/traefik:/opt/kopeck:ro`];
  const environment = given.flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const script = ['--entrypoint', '/bin/sh', Image, '/opt/kopeck/start.sh'];
  return [...`${hardened} ${writable}`.split(' '), ...files, ...environment, ...script];
}

interface Started {
  readonly entryPoints: { readonly websecure: { readonly forwardedHeaders: object } };
  readonly certificatesResolvers: Readonly<Record<string, { readonly acme: object }>>;
}

/** What Traefik was given, once it says that it is well. */
async function start(
  env: Readonly<Record<string, string>>,
): Promise<{ main: Started; tls: string }> {
  await docker('run', '--detach', '--name', NAME, ...options(env));
  const isUp = (): Promise<boolean> =>
    docker('exec', NAME, 'traefik', 'healthcheck').then(() => true);
  await waitFor(isUp, { timeoutMs: 30_000, everyMs: 200, what: 'Traefik to be well' });
  const read = (path: string): Promise<string> => docker('exec', NAME, 'cat', path);
  const files = (await docker('exec', NAME, 'ls', '/etc/traefik/dynamic')).split('\n');
  expect(files).toEqual(['middlewares.yml', 'routes.yml', `${env['TLS_MODE']}.yml`].sort());
  const main = parse(await read('/etc/traefik/traefik.yml')) as Started;
  return { main, tls: await read(`/etc/traefik/dynamic/${env['TLS_MODE']}.yml`) };
}

test.for(['acme', 'acme-ip'])(
  '%s asks for a certificate with the account of the operator',
  async (mode) => {
    const { main, tls } = await start({ TLS_MODE: mode, ACME_EMAIL: 'me+ca@shop.test' });
    const resolver = mode === 'acme' ? 'le' : 'le-ip';
    expect(main.certificatesResolvers[resolver]?.acme).toMatchObject({
      email: 'me+ca@shop.test',
      caServer: COMMON.ACME_CA,
      httpChallenge: { entryPoint: 'web' },
    });
    expect(tls).toContain(`resolver: ${resolver},`);
    expect(main.entryPoints.websecure.forwardedHeaders).toEqual({
      insecure: false,
      trustedIPs: [],
    });
  },
);

test('selfsigned has the certificate of the installation', async () => {
  const { main, tls } = await start({ TLS_MODE: 'selfsigned' });
  expect(tls).toContain('certFile: /certs/server.crt');
  expect(main.entryPoints.websecure.forwardedHeaders).toEqual({ insecure: false, trustedIPs: [] });
});

test('external believes the proxy that comes in from this machine, or those that are named', async () => {
  const { main } = await start({ TLS_MODE: 'external' });
  expect(main.entryPoints.websecure.forwardedHeaders).toMatchObject({
    trustedIPs: ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  });
  await docker('rm', '--force', NAME);
  const named = await start({
    TLS_MODE: 'external',
    TRUSTED_PROXIES: '198.51.100.7,2001:db8::/64',
  });
  expect(named.main.entryPoints.websecure.forwardedHeaders).toMatchObject({
    trustedIPs: ['198.51.100.7', '2001:db8::/64'],
  });
});

test.for([
  [{ TLS_MODE: 'acme' }, 'Please set ACME_EMAIL'],
  [{ TLS_MODE: 'none' }, 'Please set TLS_MODE to acme, acme-ip, selfsigned or external'],
  [{ TLS_MODE: 'acme', ACME_EMAIL: "a@b'\nx: y" }, 'Please mend ACME_EMAIL in .env'],
  [{ TLS_MODE: 'external', TRUSTED_PROXIES: "'] }" }, 'Please mend TRUSTED_PROXIES in .env'],
] as const)('with %j nothing is started, and the mistake is named', async ([env, words]) => {
  await expect(docker('run', '--name', NAME, ...options(env))).rejects.toThrow(words);
});
