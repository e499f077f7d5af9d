import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createDatabase,
  createServiceUsers,
  type DatabaseUsersOptions,
} from '@kopeck/runtime/database-users';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import type { PrivateServer } from '@kopeck/testing/private-server';
import { startRedis } from '@kopeck/testing/private-redis';
import { seedPurchase } from '../../../services/admin/src/seed.ts';
import type { PidFiles } from './pids.ts';
import type { Secrets } from './secrets.ts';
import { databaseUrlOf } from './services.ts';
import type { Settings } from './settings.ts';
import { SANDBOX_SERVER, SANDBOX_SUBSCRIBER } from './values.ts';

export interface Database {
  readonly name: 'mariadb' | 'redis';
  readonly server: PrivateServer;
  /** Down until `start`: for tests of outages. */
  readonly hold: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface DatabasesDeps {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly pidFiles: PidFiles;
  readonly say: (line: string) => void;
}

const LOOK_EVERY_MS = 200;
/** As long as systemd waits: time enough to see what an outage does, and that it heals. */
const RESTART_AFTER_MS = 5_000;
const KILL_AFTER_MS = 20_000;

export async function startDatabases(deps: DatabasesDeps): Promise<readonly Database[]> {
  const { settings, secrets } = deps;
  const { home, ports } = settings;
  const results = await Promise.allSettled([
    startMariadb({
      dir: join(home, 'mariadb'),
      port: ports.MARIADB_PORT,
      rootPassword: secrets.MARIADB_ROOT_PASSWORD,
    }).then((server) => keep('mariadb', server, deps)),
    startRedis({
      dir: join(home, 'redis'),
      port: ports.REDIS_PORT,
      password: secrets.REDIS_PASSWORD,
    }).then((server) => keep('redis', server, deps)),
  ]);
  const databases = results.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return databases;
  await Promise.all(databases.map(({ stop }) => stop()));
  throw failed.reason;
}

/** The schema, who may use it, and the purchase that the curl line of the admin API refreshes. */
export async function prepareDatabase({
  settings,
  secrets,
}: DatabasesDeps): Promise<readonly string[]> {
  const port = settings.ports.MARIADB_PORT;
  const users: DatabaseUsersOptions = {
    rootUrl: rootUrlOf(settings, secrets, ''),
    database: 'kopeck',
    host: '127.0.0.1',
    passwords: {
      migrate: secrets.MARIADB_MIGRATE_PASSWORD,
      sbp: secrets.MARIADB_SBP_PASSWORD,
      admin: secrets.MARIADB_ADMIN_PASSWORD,
      ledger: secrets.MARIADB_LEDGER_PASSWORD,
      courier: secrets.MARIADB_COURIER_PASSWORD,
      readonly: secrets.MARIADB_READONLY_PASSWORD,
    },
  };
  await createDatabase(users);
  const ownerUrl = databaseUrlOf('migrate', secrets.MARIADB_MIGRATE_PASSWORD, port);
  const applied = await migrate(ownerUrl);
  await createServiceUsers(users);

  const pool = openDatabase(ownerUrl, { connections: 1 });
  try {
    const servers = [{ serverId: SANDBOX_SERVER, externalId: SANDBOX_SUBSCRIBER }];
    await seedPurchase(pool, { id: '1', servers });
  } finally {
    await pool.end();
  }
  return applied;
}

export function rootUrlOf({ ports }: Settings, secrets: Secrets, database: string): string {
  return `mysql://root:${secrets.MARIADB_ROOT_PASSWORD}@127.0.0.1:${ports.MARIADB_PORT}/${database}`;
}

/** Starts it again when it has died by itself. */
function keep(
  name: Database['name'],
  server: PrivateServer,
  { pidFiles, say }: DatabasesDeps,
): Database {
  let isWanted = true;
  const stopping = new AbortController();
  const notePid = (): void => {
    if (server.pid !== undefined) pidFiles.write(name, server.pid);
  };

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await delay(LOOK_EVERY_MS, undefined, { ref: false });
      if (server.pid !== undefined || !isWanted) continue;
      say(`${name} has died and is started again in ${RESTART_AFTER_MS / 1000} s.`);
      await delay(RESTART_AFTER_MS, undefined, { ref: false });
      if (isWanted) await restart();
    }
  }

  async function restart(): Promise<void> {
    try {
      await server.restart();
      notePid();
    } catch (error) {
      say(`${name} could not be started: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }

  async function down(): Promise<void> {
    isWanted = false;
    const deadline = setTimeout(() => void server.kill(), KILL_AFTER_MS);
    await server.stop();
    clearTimeout(deadline);
  }

  notePid();
  void watch();
  return {
    name,
    server,
    hold: down,
    start: async () => {
      await restart();
      isWanted = true;
    },
    stop: async () => {
      stopping.abort();
      await down();
      pidFiles.remove(name);
    },
  };
}
