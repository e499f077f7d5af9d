import Joi from 'joi';
import { httpKeys, loadConfig } from '@kopeck/runtime/config';
import {
  createDatabase,
  createServiceUsers,
  databaseUser,
  type DatabaseUsersOptions,
} from '@kopeck/runtime/database-users';
import { createLog } from '@kopeck/runtime/log';
import { migrate } from '@kopeck/runtime/migrate';
import { runMain } from '@kopeck/runtime/run-main';

interface MigrateConfig {
  readonly LOG_LEVEL: string;
  readonly DATABASE_ADMIN_URL: string;
  readonly DB_NAME: string;
  readonly MARIADB_MIGRATE_PASSWORD: string;
  readonly MARIADB_SBP_PASSWORD: string;
  readonly MARIADB_ADMIN_PASSWORD: string;
  readonly MARIADB_LEDGER_PASSWORD: string;
  readonly MARIADB_COURIER_PASSWORD: string;
  readonly MARIADB_READONLY_PASSWORD?: string;
}

const password = Joi.string()
  .min(16)
  .required()
  .messages({ '*': 'the password that this user of the database gets, at least 16 characters' });

const migrateConfig = Joi.object<MigrateConfig, true>({
  LOG_LEVEL: httpKeys.LOG_LEVEL,
  DATABASE_ADMIN_URL: Joi.string()
    .uri({ scheme: ['mysql', 'mariadb'] })
    .required()
    .messages({ '*': 'mysql://root:password@host:port/ of a user who may create users' }),
  DB_NAME: Joi.string()
    .pattern(/^\w{1,64}$/)
    .default('kopeck')
    .messages({ '*': 'the name of the database: letters, digits and _' }),
  MARIADB_MIGRATE_PASSWORD: password,
  MARIADB_SBP_PASSWORD: password,
  MARIADB_ADMIN_PASSWORD: password,
  MARIADB_LEDGER_PASSWORD: password,
  MARIADB_COURIER_PASSWORD: password,
  MARIADB_READONLY_PASSWORD: password.optional().empty(''),
});

/** The one-shot before the services: the database, its schema, and what each service may do in it. */
async function main(): Promise<void> {
  const config = loadConfig(migrateConfig, process.env);
  const users: DatabaseUsersOptions = {
    rootUrl: config.DATABASE_ADMIN_URL,
    database: config.DB_NAME,
    host: '%',
    passwords: {
      migrate: config.MARIADB_MIGRATE_PASSWORD,
      sbp: config.MARIADB_SBP_PASSWORD,
      admin: config.MARIADB_ADMIN_PASSWORD,
      ledger: config.MARIADB_LEDGER_PASSWORD,
      courier: config.MARIADB_COURIER_PASSWORD,
      readonly: config.MARIADB_READONLY_PASSWORD,
    },
  };
  const passwords = Object.values(users.passwords).filter((each) => each !== undefined);
  const secrets = [...passwords, config.DATABASE_ADMIN_URL];
  const log = createLog({ service: 'migrate', level: config.LOG_LEVEL, secrets });

  await createDatabase(users);
  const applied = await migrate(ownerUrl(users));
  await createServiceUsers(users);
  log.info('the database is ready', { applied });
}

function ownerUrl({ rootUrl, database, passwords }: DatabaseUsersOptions): string {
  const url = new URL(rootUrl);
  url.username = databaseUser('migrate');
  url.password = encodeURIComponent(passwords.migrate);
  url.pathname = database;
  return url.href;
}

runMain(main);
