import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

export interface Installation {
  /** What install.sh is told to install into. */
  readonly dir: string;
  readonly project: string;
  readonly ports: Readonly<Record<'http' | 'https', number>>;
}

/** What it printed, both ways. Throws with that when it did not succeed. */
export async function install(to: Installation, ...more: readonly string[]): Promise<string> {
  const { dir, project, ports } = to;
  const flags = {
    dir,
    'bin-dir': join(dir, 'bin'),
    project,
    domain: 'kopeck.test',
    tls: 'selfsigned',
    db: 'bundled',
    'alert-email': 'operator@shop.test',
    'smtp-url': 'smtp://partners:9125',
    bind: '127.0.0.1',
    'http-port': String(ports.http),
    'https-port': String(ports.https),
    lang: 'en',
  };
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const switches = ['--build', '--non-interactive', '--skip-dns-check', '--no-docker-install'];
  return bash(join(ROOT, 'install.sh'), ...args, ...switches, ...more);
}

/** The host command of an installation. */
export function kopeck(dir: string, ...args: readonly string[]): Promise<string> {
  return bash(join(dir, 'bin', 'kopeck'), ...args);
}

export function readEnv(dir: string): Record<string, string> {
  return parseEnv(readFileSync(join(dir, '.env'), 'utf8')) as Record<string, string>;
}

/** Without a terminal and with nothing of our own environment, as from cron. */
async function bash(script: string, ...args: readonly string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const options = { env: { PATH, HOME }, maxBuffer: 2 ** 26 };
  const { stdout, stderr } = await run('bash', [script, ...args], options);
  return stdout + stderr;
}
