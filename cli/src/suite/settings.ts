import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from '@kopeck/runtime/config';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of the repository. */
export const ROOT = resolve(import.meta.dirname, '..', '..', '..');

/** Every port of the suite and the key that moves it; KOPECK_PORT_OFFSET is added to all of them. */
export const PORTS = {
  SBP_PORT: 5000,
  CRYPTO_PORT: 8000,
  EPN_PORT: 8090,
  ADMIN_PORT: 8080,
  LEDGER_PORT: 8070,
  COURIER_PORT: 8060,
  SBP_METRICS_PORT: 9001,
  CRYPTO_METRICS_PORT: 9002,
  EPN_METRICS_PORT: 9003,
  ADMIN_METRICS_PORT: 9004,
  LEDGER_METRICS_PORT: 9005,
  COURIER_METRICS_PORT: 9006,
  SANDBOX_PORT: 9100,
  MAIL_PORT: 9125,
  MARIADB_PORT: 13306,
  REDIS_PORT: 16379,
} as const;
export type PortKey = keyof typeof PORTS;

export interface Settings {
  /** `.local`, or KOPECK_HOME: everything that the suite writes is in it. */
  readonly home: string;
  readonly ports: Readonly<Record<PortKey, number>>;
  /** What .env and the environment say; the environment wins. */
  readonly given: Environment;
}

/** Of a private suite these are what they are: a stray DATABASE_URL must not be migrated. */
export const OWN_KEYS: readonly string[] = ['DATABASE_URL', 'REDIS_URL', 'JOURNAL_DIR', 'HOST'];

/** Throws ConfigError. `.env` is read from the folder of the repository. */
export function readSettings(environment: Environment, envFile = join(ROOT, '.env')): Settings {
  const file = existsSync(envFile) ? parseEnv(readFileSync(envFile, 'utf8')) : {};
  const given = { ...file, ...withoutEmpty(environment) };
  const offset = wholeNumber(given, 'KOPECK_PORT_OFFSET', 0);
  const ports = Object.fromEntries(
    Object.entries(PORTS).map(([key, port]) => [key, wholeNumber(given, key, port) + offset]),
  ) as Record<PortKey, number>;
  refuseImpossible(ports);

  // npm changes into the folder of the repository; a relative path is meant from where one stood.
  const from = environment['INIT_CWD'] ?? process.cwd();
  const home = given['KOPECK_HOME'];
  return { home: home ? resolve(from, home) : join(ROOT, '.local'), ports, given };
}

export function homeOf(environment: Environment): string {
  return readSettings(environment).home;
}

function wholeNumber(given: Environment, key: string, fallback: number): number {
  const text = given[key] || String(fallback);
  if (!/^-?\d{1,6}$/.test(text)) throw new ConfigError(`Please set ${key} to a whole number`);
  return Number(text);
}

function refuseImpossible(ports: Readonly<Record<string, number>>): void {
  const byPort = new Map<number, string>();
  for (const [key, port] of Object.entries(ports)) {
    const other = byPort.get(port);
    if (other !== undefined) throw new ConfigError(`${key} and ${other} are both ${port}`);
    byPort.set(port, key);
    if (port >= 1 && port <= 65_535) continue;
    throw new ConfigError(`${key} with KOPECK_PORT_OFFSET is ${port}, which is no port`);
  }
}

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}
