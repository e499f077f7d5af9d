import { waitFor } from '@kopeck/testing/wait-for';
import { SANDBOX_KEYS } from '../../cli/src/suite/sandbox-config.ts';
import { PANEL_TOKEN } from '../rig/secrets.ts';
import { docker } from './docker.ts';
import { inspect, type Stack } from './stack.ts';

const nameOf = ({ project }: Pick<Stack, 'project'>): string => `${project}-partners`;

/** They call Kopeck as real ones do, through Traefik, and mail that it sends stays with them. */
export async function startPartners(stack: Stack): Promise<void> {
  const { project, values, sandboxUrl } = stack;
  const known: Readonly<Record<string, string>> = {
    ...values,
    SANDBOX_HOST: '0.0.0.0',
    SANDBOX_PORT: '9100',
    MAIL_PORT: '9125',
    MAIL_DIR: '/tmp/mail',
    CODES_FILE: '/tmp/codes.json',
    SBP_URL: 'https://traefik',
    CRYPTO_URL: 'https://traefik',
    PANEL_TOKEN,
    PANEL_SERVER: 'de1',
    PANEL_SUBSCRIBER: 'buyer-1',
  };
  // Partners that these tests do without must be configured, too.
  const env = {
    ...Object.fromEntries(SANDBOX_KEYS.map((key) => [key, known[key] ?? `nobody-knows-${key}`])),
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  };
  const options = Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  const door = ['-p', `127.0.0.1:${new URL(sandboxUrl).port}:9100`];
  const network = ['--network', `${project}_egress`, '--network-alias', 'partners'];
  const { Image } = await inspect(stack, 'sbp');
  const main = 'cli/src/suite/sandbox-main.js';
  await docker('run', '-d', '--name', nameOf(stack), ...network, ...door, ...options, Image, main);
  await docker('network', 'connect', `${project}_public`, nameOf(stack));
  const isUp = async (): Promise<boolean> => (await fetch(`${sandboxUrl}/health`)).ok;
  await waitFor(isUp, { timeoutMs: 30_000, what: 'the partners' });
}

export async function stopPartners(stack: Pick<Stack, 'project'>): Promise<void> {
  await docker('rm', '--force', '--volumes', nameOf(stack));
}
