import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '@kopeck/runtime/database';
import { waitFor } from '@kopeck/testing/wait-for';
import { seedPurchase } from '../../services/admin/src/seed.ts';
import { SANDBOX_KEYS } from '../../cli/src/suite/sandbox-config.ts';
import { PANEL_TOKEN } from '../rig/secrets.ts';
import { docker } from './docker.ts';
import { envText, settingsFor } from './settings.ts';
import { compose, freePorts, rigOf, type Stack } from './stack.ts';

const PROJECT = 'kopeck-test';
const PARTNERS = `${PROJECT}-partners`;
const IMAGE = 'kopeck:test';
const ROOT = join(import.meta.dirname, '..', '..');

/** The image, built; the stack, up and healthy; the partners beside it. Afterwards all of it is removed. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'kopeck-docker-'));
  const ports = await freePorts();
  const values = { ...settingsFor(ports, join(dir, 'certs')), KOPECK_IMAGE: IMAGE };
  const stack: Stack = {
    project: PROJECT,
    composeFile: join(ROOT, 'docker-compose.yml'),
    envFile: join(dir, '.env'),
    values,
    url: `https://127.0.0.1:${ports.https}`,
    plainUrl: `http://127.0.0.1:${ports.http}`,
    sandboxUrl: `http://127.0.0.1:${ports.sandbox}`,
  };
  mkdirSync(join(dir, 'certs'));
  writeFileSync(stack.envFile, envText(values), { mode: 0o600 });

  const remove = async (): Promise<void> => {
    await docker('rm', '--force', '--volumes', PARTNERS);
    await compose(stack, 'down', '--volumes', '--remove-orphans', '--timeout', '5');
    rmSync(dir, { recursive: true, force: true });
  };
  await remove();
  mkdirSync(join(dir, 'certs'), { recursive: true });
  writeFileSync(stack.envFile, envText(values), { mode: 0o600 });
  try {
    await compose(stack, 'build', '--quiet');
    await compose(stack, 'up', '--detach', '--wait', '--wait-timeout', '240');
    await startPartners(stack, ports.sandbox);
    await seed(stack);
  } catch (error) {
    await remove();
    throw error;
  }
  project.provide('stack', stack);
  // To look at what a failed test has left: remove it by `docker compose -p kopeck-test down -v`.
  return process.env['KOPECK_KEEP_STACK'] === '1' ? async () => undefined : remove;
}

/** They call Kopeck as real ones do, through Traefik, and mail that it sends stays with them. */
async function startPartners({ values, project, sandboxUrl }: Stack, port: number): Promise<void> {
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
  const door = ['-p', `127.0.0.1:${port}:9100`];
  const network = ['--network', `${project}_egress`, '--network-alias', 'partners'];
  const main = 'cli/src/suite/sandbox-main.js';
  await docker('run', '-d', '--name', PARTNERS, ...network, ...door, ...options, IMAGE, main);
  await docker('network', 'connect', `${project}_public`, PARTNERS);
  const isUp = async (): Promise<boolean> => (await fetch(`${sandboxUrl}/health`)).ok;
  await waitFor(isUp, { timeoutMs: 30_000, what: 'the partners' });
}

async function seed(stack: Stack): Promise<void> {
  const { databaseUrl } = await rigOf(stack);
  const pool = openDatabase(databaseUrl, { connections: 1 });
  await seedPurchase(pool, { id: '1', servers: [{ serverId: 'de1', externalId: 'buyer-1' }] });
  await pool.end();
}
