import { join } from 'node:path';
import { DATABASE_USERS, type DatabaseUser } from '@kopeck/runtime/database-users';
import { rootUrlOf } from './databases.ts';
import { commandLineOf } from './pids.ts';
import type { Secrets } from './secrets.ts';
import { databaseUrlOf, fromTheMachine, SERVICES, type Service } from './services.ts';
import type { Settings } from './settings.ts';

interface EnvironmentParts {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly values: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | undefined>>;
}

/** Exactly its own keys: a service does not know the secrets of another. */
export function serviceEnvironment(
  { name, keys }: Service,
  { settings, secrets, values, machine }: EnvironmentParts,
): Record<string, string> {
  const user = DATABASE_USERS.find((known) => known === name);
  const all: Readonly<Record<string, string>> = {
    ...values,
    JOURNAL_DIR: join(settings.home, 'journal', name),
    ...(user === undefined ? {} : { DATABASE_URL: serviceDatabaseUrl(user, settings, secrets) }),
  };
  const own = keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]]));
  return { ...fromTheMachine(machine), ...Object.fromEntries(own) };
}

function serviceDatabaseUrl(name: DatabaseUser, { ports }: Settings, secrets: Secrets): string {
  const key = `MARIADB_${name.toUpperCase() as Uppercase<DatabaseUser>}_PASSWORD` as const;
  return databaseUrlOf(name, secrets[key], ports.MARIADB_PORT);
}

/** What kopeck.env says. DATABASE_URL is the ledger's own: it reads the books and cannot change them. */
export function publishedValues(
  settings: Settings,
  secrets: Secrets,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const { home, ports } = settings;
  const urls: Record<string, string> = {};
  for (const { name, port, metricsPort } of SERVICES) {
    urls[`${name.toUpperCase()}_URL`] = `http://127.0.0.1:${ports[port]}`;
    urls[`${name.toUpperCase()}_METRICS_URL`] = `http://127.0.0.1:${ports[metricsPort]}`;
  }
  for (const name of DATABASE_USERS) {
    urls[`${name.toUpperCase()}_DATABASE_URL`] = serviceDatabaseUrl(name, settings, secrets);
  }
  return {
    KOPECK_PID: String(process.pid),
    KOPECK_COMMAND: commandLineOf(process.pid),
    ...urls,
    SANDBOX_URL: `http://127.0.0.1:${ports.SANDBOX_PORT}`,
    ...values,
    WEBHOOK_DOMAIN: 'localhost',
    DATABASE_URL: serviceDatabaseUrl('ledger', settings, secrets),
    KOPECK_DATABASE_ROOT_URL: rootUrlOf(settings, secrets, 'kopeck'),
    KOPECK_MAIL_DIR: join(home, 'mail'),
    KOPECK_LOG_DIR: join(home, 'log'),
    KOPECK_JOURNAL_DIR: join(home, 'journal'),
    KOPECK_PID_DIR: join(home, 'run'),
  };
}
