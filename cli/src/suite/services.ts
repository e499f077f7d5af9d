import type Joi from 'joi';
import { ConfigError, loadConfig } from '@kopeck/runtime/config';
import { databaseUser, type DatabaseUser } from '@kopeck/runtime/database-users';
import { adminConfig } from '../../../services/admin/src/config.ts';
import { courierConfig } from '../../../services/courier/src/config.ts';
import { cryptoConfig } from '../../../services/crypto/src/config.ts';
import { epnServiceConfig } from '../../../services/epn/src/config.ts';
import { ledgerConfig } from '../../../services/ledger/src/config.ts';
import { sbpConfig } from '../../../services/sbp/src/config.ts';
import type { PortKey } from './settings.ts';

export interface Service {
  readonly name: string;
  readonly port: PortKey;
  readonly metricsPort: PortKey;
  /** What it reads, and therefore all that it is given. */
  readonly keys: readonly string[];
  readonly schema: Joi.ObjectSchema;
}

export const SERVICES: readonly Service[] = [
  service('sbp', sbpConfig),
  service('crypto', cryptoConfig),
  service('epn', epnServiceConfig),
  service('admin', adminConfig),
  service('ledger', ledgerConfig),
  service('courier', courierConfig),
];

function service(name: string, schema: Joi.ObjectSchema): Service {
  const keys = Object.keys((schema.describe() as { keys: object }).keys);
  const key = name.toUpperCase();
  return {
    name,
    port: `${key}_PORT` as PortKey,
    metricsPort: `${key}_METRICS_PORT` as PortKey,
    keys,
    schema,
  };
}

/** What a process needs to run at all. Nothing else of the environment reaches one of ours. */
const FROM_THE_MACHINE = ['PATH', 'HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'NODE_COMPILE_CACHE'];

export function fromTheMachine(
  machine: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    FROM_THE_MACHINE.flatMap((key) => (machine[key] === undefined ? [] : [[key, machine[key]]])),
  );
}

/** All mistakes of all services at once, before anything is started. */
export function checkEnvironments(
  environmentFor: (service: Service) => Readonly<Record<string, string>>,
): void {
  const mistakes = SERVICES.flatMap((checked) => {
    try {
      loadConfig(checked.schema, environmentFor(checked));
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.message.split('\n').slice(1);
      throw error;
    }
  });
  if (mistakes.length === 0) return;
  const lines = [...new Set(mistakes)].join('\n');
  throw new ConfigError(`Please mend in .env or in the environment:\n${lines}`);
}

export function databaseUrlOf(
  name: DatabaseUser | 'migrate',
  password: string,
  port: number,
): string {
  return `mysql://${databaseUser(name)}:${encodeURIComponent(password)}@127.0.0.1:${port}/kopeck`;
}
