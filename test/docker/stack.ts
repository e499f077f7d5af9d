import { inject } from 'vitest';
import { freePort } from '@kopeck/testing/ports';
import type { Rig } from '../rig/rig.ts';
import { docker } from './docker.ts';
import type { Installation } from './install.ts';

/** An installed stack: all that a test needs to find it. */
export interface Stack extends Installation {
  /** What .env says. */
  readonly values: Readonly<Record<string, string>>;
  /** Traefik's published port, the only door. */
  readonly url: string;
  readonly plainUrl: string;
  /** The partners' doubles, in a container of their own. */
  readonly sandboxUrl: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    stack: Stack;
  }
}

export const OURS = ['sbp', 'crypto', 'epn', 'admin', 'ledger', 'courier'] as const;
export const SERVICES = ['traefik', 'redis', 'mariadb', ...OURS] as const;
export type ServiceName = (typeof SERVICES)[number];

export const stackUnderTest = (): Stack => inject('stack');

/** As install.sh calls it. */
export function compose(
  { project, dir }: Pick<Stack, 'project' | 'dir'>,
  ...args: readonly string[]
): Promise<string> {
  const release = `${dir}/current`;
  const where = ['--project-directory', release, '--file', `${release}/docker-compose.yml`];
  const what = ['--project-name', project, '--env-file', `${dir}/.env`];
  return docker('compose', '--ansi', 'never', ...what, ...where, ...args);
}

export interface Inspected {
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Pid: number;
    readonly StartedAt: string;
    readonly Status: string;
    readonly Health?: { readonly Status: string };
  };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

/** Asks Docker by the name that Compose gives a container: Compose itself takes ten times as long. */
export async function inspect(
  { project }: Pick<Stack, 'project'>,
  service: string,
): Promise<Inspected> {
  const [found] = JSON.parse(await docker('inspect', `${project}-${service}-1`)) as Inspected[];
  if (found === undefined) throw new Error(`there is no container of ${service}`);
  return found;
}

/** Running, and its health check says so. */
export async function isHealthy(stack: Stack, service: string): Promise<boolean> {
  const { State } = await inspect(stack, service);
  return State.Status === 'running' && State.Health?.Status === 'healthy';
}

/** The partners and the books of this stack, as the tests of a suite without Docker know them. */
export async function rigOf(stack: Stack): Promise<Rig> {
  const { url, sandboxUrl, values } = stack;
  const mariadb = await addressOf(stack, 'mariadb', 'database');
  const redis = await addressOf(stack, 'redis', 'queue');
  const root = values['MARIADB_ROOT_PASSWORD'];
  const seen: Partial<Rig> = {
    url: Object.fromEntries(OURS.map((name) => [name, url])) as Rig['url'],
    sandboxUrl,
    databaseUrl: `mysql://root:${root}@${mariadb}:3306/kopeck`,
    redis: { url: `redis://cli:${values['REDIS_CLI_PASSWORD']}@${redis}:6379/0` } as Rig['redis'],
  };
  return seen as Rig;
}

/** This machine reaches containers of internal networks, too; nobody else does. */
export async function addressOf(stack: Stack, service: string, network: string): Promise<string> {
  const { NetworkSettings } = await inspect(stack, service);
  const address = NetworkSettings.Networks[`${stack.project}_${network}`]?.IPAddress;
  if (!address) throw new Error(`${service} is not on ${network}`);
  return address;
}

export async function freePorts(): Promise<Readonly<Record<'http' | 'https' | 'sandbox', number>>> {
  return { http: await freePort(), https: await freePort(), sandbox: await freePort() };
}
