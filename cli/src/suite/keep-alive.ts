import { setTimeout as delay } from 'node:timers/promises';
import { spawnChild, type Child, type ChildRecipe } from './child.ts';
import type { PidFiles } from './pids.ts';

export interface Kept {
  readonly name: string;
  /** Undefined while it is not running. */
  readonly pid: () => number | undefined;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Not started again. */
  readonly stop: (withinMs: number) => Promise<void>;
  /** Rejects if it ends before `started` is called: then it is not tried again. */
  readonly failedToStart: Promise<never>;
  readonly started: () => void;
}

export interface KeepAliveDeps {
  readonly pidFiles: PidFiles;
  readonly say: (line: string) => void;
}

/** After each early death twice as long, up to the longest; a long life makes it patient again. */
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const LONG_LIFE_MS = 5_000;
const LAST_LINES = 5;

/** Runs it, and runs it again whenever it has died without being told to. */
export function keepAlive(recipe: ChildRecipe, { pidFiles, say }: KeepAliveDeps): Kept {
  const { name } = recipe;
  const { promise: failedToStart, reject } = Promise.withResolvers<never>();
  failedToStart.catch(() => undefined); // only whoever starts it waits for this
  const stopping = new AbortController();
  let child: Child | undefined;
  let isStarted = false;
  let pauseMs = SHORTEST_PAUSE_MS;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const { death, lifeMs, lastLines } = await liveOnce();
      if (stopping.signal.aborted) return;
      if (!isStarted) {
        return reject(new Error([`${name} did not start (${death}):`, ...lastLines].join('\n')));
      }
      pauseMs = lifeMs > LONG_LIFE_MS ? SHORTEST_PAUSE_MS : pauseMs;
      say(`${name} has died (${death}) and is started again.`);
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  async function liveOnce(): Promise<{ death: string; lifeMs: number; lastLines: string[] }> {
    const born = performance.now();
    const lastLines: string[] = [];
    const onLine = (line: string): void => {
      lastLines.push(line);
      if (lastLines.length > LAST_LINES) lastLines.shift();
      recipe.onLine(line);
    };
    child = spawnChild({ ...recipe, onLine });
    pidFiles.write(name, child.pid);
    const death = await child.gone;
    child = undefined;
    pidFiles.remove(name);
    return { death, lifeMs: performance.now() - born, lastLines };
  }

  const ended = run();
  return {
    name,
    pid: () => child?.pid,
    kill: (signal) => child?.kill(signal),
    failedToStart,
    started: () => {
      isStarted = true;
    },
    async stop(withinMs) {
      stopping.abort();
      await child?.stop(withinMs);
      await ended;
    },
  };
}
