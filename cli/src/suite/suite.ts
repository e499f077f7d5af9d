import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { refuseBusyPorts } from './busy-ports.ts';
import { prepareDatabase, startDatabases, type Database } from './databases.ts';
import type { Kept } from './keep-alive.ts';
import { findRunningSuite, removeKopeckEnv, writeKopeckEnv } from './kopeck-env.ts';
import { openPidFiles, type PidFiles } from './pids.ts';
import { startSandbox, startService } from './processes.ts';
import { publishedValues, serviceEnvironment } from './published.ts';
import { keepSecrets, type Secrets } from './secrets.ts';
import { checkEnvironments, SERVICES } from './services.ts';
import type { Settings } from './settings.ts';
import type { Say } from './terminal.ts';
import { valuesOf } from './values.ts';

/** A suite that runs: six services, the sandbox, MariaDB and Redis, each in a process of its own. */
export interface Suite {
  /** What kopeck.env says. */
  readonly values: Readonly<Record<string, string>>;
  /** By name, the sandbox among them. */
  readonly processes: ReadonlyMap<string, Kept>;
  readonly databases: ReadonlyMap<Database['name'], Database>;
  /** The services first, then what they need. */
  readonly stop: () => Promise<void>;
  /** Kills what a stop that is under way still waits for. */
  readonly hurry: () => void;
}

export interface SuiteOptions {
  readonly settings: Settings;
  /** The environment of the machine: PATH and the like. */
  readonly machine: Readonly<Record<string, string | undefined>>;
  readonly say: Say;
  /** Aborted: a start that is under way is given up, and what it has started is stopped. */
  readonly signal: AbortSignal;
}

/** Another suite runs in the same folder. */
export class AlreadyRunningError extends Error {
  override name = 'AlreadyRunningError' as const;
  readonly values: Readonly<Record<string, string | undefined>>;

  constructor(pid: number, values: Readonly<Record<string, string | undefined>>) {
    super(`Kopeck is running already (process ${pid}). \`npm stop\` stops it.`);
    this.values = values;
  }
}

/** Everything of a suite that has been started so far. */
export interface Running extends SuiteOptions {
  readonly secrets: Secrets;
  readonly values: Readonly<Record<string, string>>;
  readonly pidFiles: PidFiles;
  readonly processes: Map<string, Kept>;
  readonly databases: Map<Database['name'], Database>;
}

const LEFTOVERS_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 12_000;

/**
 * Returns when everything is ready and kopeck.env is written. Throws ConfigError, AlreadyRunningError,
 * BusyPortError, or what went wrong; then nothing of it is left running.
 */
export async function startSuite(options: SuiteOptions): Promise<Suite> {
  const running = await prepare(options);
  const { settings, secrets, processes, databases, values } = running;
  try {
    await startAll(running);
  } catch (error) {
    await stopAll(running);
    throw error;
  }
  const published = publishedValues(settings, secrets, values);
  writeKopeckEnv(settings.home, published);

  let stopping: Promise<void> | undefined;
  return {
    values: published,
    processes,
    databases,
    stop: () => (stopping ??= stopAll(running)),
    hurry: () => {
      for (const kept of processes.values()) kept.kill('SIGKILL');
      for (const { server } of databases.values()) void server.kill();
    },
  };
}

/** Whatever can be found wrong before anything runs is found here. */
async function prepare(options: SuiteOptions): Promise<Running> {
  const { settings, say, machine } = options;
  const { home, ports } = settings;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const other = findRunningSuite(home);
  if (other !== null) throw new AlreadyRunningError(other.pid, other.values);
  removeKopeckEnv(home);

  const secrets = keepSecrets(home);
  const { values, ignored } = valuesOf(settings, secrets);
  checkEnvironments((service) =>
    serviceEnvironment(service, { settings, secrets, values, machine }),
  );
  for (const key of ignored) say(`${key} is set and not used: this suite has its own.`);

  const pidFiles = openPidFiles(home);
  const ended = await pidFiles.endLeftovers((name) => commandOf(name, home), LEFTOVERS_WITHIN_MS);
  if (ended.length > 0) say(`Ended what an earlier start had left behind: ${ended.join(', ')}.`);
  await refuseBusyPorts(ports);
  return { ...options, secrets, values, pidFiles, processes: new Map(), databases: new Map() };
}

/** How a process of this home is recognised among all others of the machine. */
function commandOf(name: string, home: string): string {
  if (name === 'mariadb') return join(home, 'mariadb');
  return name === 'redis' ? 'redis-server' : `main.ts ${home}`;
}

async function startAll(running: Running): Promise<void> {
  const { say, signal, databases } = running;
  const seconds = stopwatch();
  say('Starting MariaDB and Redis …');
  for (const database of await startDatabases(running)) databases.set(database.name, database);
  signal.throwIfAborted();
  const applied = await prepareDatabase(running);
  const migrated = applied.length === 0 ? '' : `, ${applied.length} migrations applied`;
  say(`  both are there${migrated} (${seconds()} s)`);

  signal.throwIfAborted();
  say('Starting the sandbox partners and the services …');
  await startSandbox(running);
  await Promise.all(
    SERVICES.map(async (service) => {
      await startService(running, service);
      say(`  ${service.name.padEnd(8)} is ready (${seconds()} s)`);
    }),
  );
}

async function stopAll({ settings, processes, databases, pidFiles }: Running): Promise<void> {
  removeKopeckEnv(settings.home);
  const { sandbox, services } = Object.groupBy(processes.values(), ({ name }) =>
    name === 'sandbox' ? 'sandbox' : 'services',
  );
  for (const group of [services, sandbox]) {
    await Promise.all((group ?? []).map((kept) => kept.stop(STOP_WITHIN_MS)));
  }
  for (const name of ['redis', 'mariadb'] as const) await databases.get(name)?.stop();
  for (const name of processes.keys()) pidFiles.remove(name);
}

function stopwatch(): () => string {
  const began = performance.now();
  return () => ((performance.now() - began) / 1000).toFixed(1);
}
