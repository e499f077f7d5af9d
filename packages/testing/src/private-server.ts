import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isFree } from './ports.ts';
import { waitFor } from './wait-for.ts';

/** A server of our own: a real one, in a process that nobody else knows of. */
export interface PrivateServer {
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Ends it in good order, and waits until it has gone. Does nothing if it is not running. */
  readonly stop: () => Promise<void>;
  /** SIGKILL: what a power cut does, short of the disk. */
  readonly kill: () => Promise<void>;
  /** Stops it if it runs, and starts it again on the same port and data. */
  readonly restart: () => Promise<void>;
  /** SIGSTOP, and returns when it has taken effect: connections stay open and nothing answers. */
  readonly pause: () => Promise<void>;
  readonly resume: () => void;
}

export interface ServerRecipe {
  readonly name: string;
  readonly command: string;
  readonly argv0?: string;
  readonly args: readonly string[];
  readonly port: number;
  /** Gets the server's stdout and stderr; its end is quoted when the server does not start. */
  readonly logFile: string;
  /** Throws until the server answers. */
  readonly probe: () => Promise<void>;
}

const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 30_000;
/** A server whose owner was killed a moment ago still needs a moment to stop. */
const PORT_TIMEOUT_MS = 3_000;
const LOG_LINES_QUOTED = 8;

export async function startServer(recipe: ServerRecipe): Promise<PrivateServer> {
  let running = await launch(recipe);

  async function stop(): Promise<void> {
    const { signal, gone } = running;
    signal('SIGTERM');
    signal('SIGCONT');
    const impatience = setTimeout(() => signal('SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(impatience);
  }

  return {
    get pid() {
      return running.isGone() ? undefined : running.pid;
    },
    stop,
    kill: async () => {
      running.signal('SIGKILL');
      await running.gone;
    },
    restart: async () => {
      await stop();
      running = await launch(recipe);
    },
    pause: async () => {
      running.signal('SIGSTOP');
      await waitFor(() => isStopped(running.pid), {
        everyMs: 1,
        what: 'the server to stand still',
      });
    },
    resume: () => running.signal('SIGCONT'),
  };
}

interface Running {
  readonly pid: number | undefined;
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => void;
}

async function launch(recipe: ServerRecipe): Promise<Running> {
  const { name, port, logFile, probe } = recipe;
  await waitFor(() => isFree(port), {
    timeoutMs: PORT_TIMEOUT_MS,
    what: `port ${port} of 127.0.0.1, for ${name}, to be free`,
  });

  const running = spawnServer(recipe);
  const settled = async (): Promise<boolean> => running.isGone() || (await probe(), true);
  try {
    await waitFor(settled, { timeoutMs: START_TIMEOUT_MS, what: `${name} to answer` });
  } catch (error) {
    running.signal('SIGKILL');
    throw error;
  }
  if (running.isGone()) throw new Error(`${name} did not start:\n${await endOf(logFile)}`);
  return running;
}

/**
 * Detached, so that Ctrl-C in a terminal does not take the database away before the services that
 * are just finishing their work in it.
 */
function spawnServer({ command, argv0, args, logFile }: ServerRecipe): Running {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    ...(argv0 === undefined ? {} : { argv0 }),
  });
  closeSync(log);

  const watcher = child.pid === undefined ? undefined : endWithUs(child.pid);
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    const finish = (): void => {
      isGone = true;
      watcher?.kill('SIGKILL');
      resolve();
    };
    child.once('exit', finish);
    child.once('error', finish);
  });
  return { pid: child.pid, gone, isGone: () => isGone, signal: (name) => void child.kill(name) };
}

/** Other threads go on until the first has been given a processor to take the signal; Linux alone tells. */
async function isStopped(pid: number | undefined): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return /\) [Tt] /.test(await readFile(`/proc/${pid}/stat`, 'utf8'));
}

/**
 * A detached server would outlive us if we are killed. This shell waits at a pipe whose other end we
 * hold: when we go, in whatever way, the pipe closes and the server is told to stop.
 */
function endWithUs(pid: number): ChildProcess {
  const script = 'read -r _; kill -TERM "$1"; kill -CONT "$1"';
  return spawn('/bin/sh', ['-c', script, 'sh', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

async function endOf(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return lines.slice(-LOG_LINES_QUOTED).join('\n');
}
