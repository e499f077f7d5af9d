import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { requireBinaries } from './binaries.ts';
import { freePort } from './ports.ts';
import { startServer, type PrivateServer } from './private-server.ts';

export interface MariadbOptions {
  /** Holds the data, the log and the socket. Created if it is missing, kept when the server stops. */
  readonly dir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Set anew on every start. Default: a random one. */
  readonly rootPassword?: string;
  /** A folder made by createMariadbTemplate: copying it takes far less time than initialising. */
  readonly template?: string;
  /** Come last, so they win over ours. */
  readonly extraArgs?: readonly string[];
}

export interface PrivateMariadb extends PrivateServer {
  readonly port: number;
  /** mysql://root:<password>@127.0.0.1:<port>/ */
  readonly rootUrl: string;
}

const exec = promisify(execFile);

/** The log is small so that a template is, too; it can be made larger at any later start. */
const STORAGE_ARGS = ['--innodb-log-file-size=16M'];

/** Starts a real MariaDB on the loopback; the first time it makes its data, later it finds them. */
export async function startMariadb(options: MariadbOptions): Promise<PrivateMariadb> {
  const { extraArgs = [], rootPassword = randomBytes(16).toString('hex') } = options;
  const dir = resolve(options.dir);
  const port = options.port || (await freePort());
  const data = join(dir, 'data');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (!existsSync(data)) await createData(data, options.template);

  const initFile = join(dir, 'root-user.sql');
  await writeFile(initFile, rootUserSql(rootPassword), { mode: 0o600 });

  const rootUrl = `mysql://root:${encodeURIComponent(rootPassword)}@127.0.0.1:${port}/`;
  const server = await startServer({
    name: 'MariaDB',
    command: requireBinaries().mariadbd,
    args: [
      ...serverArgs(data, port),
      `--tmpdir=${await emptyTmp(join(dir, 'tmp'))}`,
      `--init-file=${initFile}`,
      ...extraArgs,
    ],
    port,
    logFile: join(dir, 'mariadb.log'),
    probe: async () => {
      const connection = await mysql.createConnection({ uri: rootUrl, connectTimeout: 2_000 });
      await connection.end();
    },
  });
  // Not a spread: `pid` is a getter.
  return Object.assign(server, { port, rootUrl });
}

/**
 * Initialises an empty data folder, for startMariadb to copy. The install script splits its paths at
 * spaces, so it is given a link to the folder from a place without any.
 */
export async function createMariadbTemplate(folder: string): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'kopeck-mariadb-'));
  const data = join(place, 'data');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await symlink(resolve(folder), data);
  try {
    await exec(requireBinaries().mariadbInstallDb, [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${await emptyTmp(join(place, 'tmp'))}`,
      ...userArgs(),
      '--auth-root-authentication-method=socket',
      `--auth-root-socket-user=${userInfo().username}`,
      '--skip-test-db',
      '--skip-name-resolve',
      ...STORAGE_ARGS,
    ]);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/**
 * A MariaDB that starts empties its tmpdir of temporary tables, also of those that another one is just
 * using: two must never share /tmp.
 */
async function emptyTmp(tmp: string): Promise<string> {
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  return tmp;
}

/** Whole or not at all: an interrupted start must not leave half a data folder to be found later. */
async function createData(data: string, template: string | undefined): Promise<void> {
  const unfinished = `${data}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  if (template === undefined) await createMariadbTemplate(unfinished);
  else await cp(template, unfinished, { recursive: true });
  await rename(unfinished, data);
}

function serverArgs(data: string, port: number): string[] {
  return [
    '--no-defaults', // only works as the first argument
    ...userArgs(),
    `--datadir=${data}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--socket=mariadb.sock', // relative to the data: an absolute path may be too long for a socket
    '--pid-file=mariadb.pid',
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--innodb-flush-log-at-trx-commit=1',
    '--innodb-buffer-pool-size=64M',
    '--log-bin-trust-function-creators=1',
    ...STORAGE_ARGS,
  ];
}

/** MariaDB refuses to run as root until it is told to. */
function userArgs(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/**
 * Run by the server before it takes its first connection. mariadb-install-db makes a root without a
 * password, or one for the socket alone; we come over TCP, and never without a password.
 */
function rootUserSql(password: string): string {
  const quoted = password.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const root = `'root'@'127.0.0.1'`;
  return [
    `CREATE USER IF NOT EXISTS ${root};`,
    `ALTER USER ${root} IDENTIFIED BY '${quoted}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${root} WITH GRANT OPTION;`,
    '',
  ].join('\n');
}
