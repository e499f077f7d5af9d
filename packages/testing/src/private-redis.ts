import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { requireBinaries } from './binaries.ts';
import { freePort } from './ports.ts';
import { startServer, type PrivateServer } from './private-server.ts';

export interface RedisOptions {
  /** Holds the append-only file, the log and the configuration. Kept when the server stops. */
  readonly dir: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly password: string;
  /** As on redis-server's command line: ['--maxmemory', '20mb']. Come last, so they win over ours. */
  readonly extraArgs?: readonly string[];
}

export interface PrivateRedis extends PrivateServer {
  readonly port: number;
  /** redis://:<password>@127.0.0.1:<port>/0 */
  readonly url: string;
}

/** Starts a real Redis on the loopback, as durable as Kopeck demands it to be. */
export async function startRedis(options: RedisOptions): Promise<PrivateRedis> {
  const { password, extraArgs = [] } = options;
  const dir = resolve(options.dir);
  const port = options.port || (await freePort());
  await mkdir(dir, { recursive: true, mode: 0o700 });

  const configuration = join(dir, 'redis.conf');
  await writeFile(configuration, redisConf(dir, port, password), { mode: 0o600 });

  const { command, argv0 } = requireBinaries().redisServer;
  const url = `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}/0`;
  const server = await startServer({
    name: 'Redis',
    command,
    argv0,
    args: [configuration, ...extraArgs],
    port,
    logFile: join(dir, 'redis.log'),
    probe: () => ping(url),
  });
  // Not a spread: `pid` is a getter.
  return Object.assign(server, { port, url });
}

/** In a file, not on the command line, where every user of the machine could read the password. */
function redisConf(dir: string, port: number, password: string): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${JSON.stringify(dir)}`,
    `requirepass ${JSON.stringify(password)}`,
    'appendonly yes',
    'appendfsync always',
    'maxmemory-policy noeviction',
    'save ""',
    '',
  ].join('\n');
}

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {}); // reported by the promise below
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}
