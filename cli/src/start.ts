import { ConfigError } from '@kopeck/runtime/config';
import { banner, urlTable } from './suite/banner.ts';
import { BusyPortError } from './suite/busy-ports.ts';
import { readSettings, type Settings } from './suite/settings.ts';
import { AlreadyRunningError, startSuite, type Suite } from './suite/suite.ts';

/** A signal often comes twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_WITHIN_MS = 1_000;
const LOOK_AT_PARENT_EVERY_MS = 500;

const say = (line: string): void => console.log(line);
const stopping = new AbortController();
let suite: Suite | undefined;

// Whoever read our output may go (a closed terminal, `| head`): the suite goes on all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

async function main(): Promise<number> {
  const settings = readSettings(process.env);
  stopOn(settings);
  say(`Kopeck is starting in ${settings.home}`);
  suite = await startSuite({ settings, machine: process.env, say, signal: stopping.signal });
  if (!stopping.signal.aborted) say(banner(settings.home, suite.values));

  await aborted(stopping.signal);
  say('Stopping …');
  await suite.stop();
  say('Stopped.');
  return 0;
}

function stopOn(settings: Settings): void {
  let firstAt: number | undefined;
  const stop = (): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      stopping.abort(new Error(`stopped before everything was ready (see ${settings.home}/log)`));
    } else if (now - firstAt > SAME_SIGNAL_WITHIN_MS) {
      say('Killing what is still there.');
      suite?.hurry();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

  // npm is killed, and does not tell: see who our parent is.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, LOOK_AT_PARENT_EVERY_MS);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** What the person at the keyboard can mend is said without a stack. */
function explain(error: unknown): number {
  if (stopping.signal.aborted) {
    say('Stopped.');
    return 0;
  }
  if (error instanceof AlreadyRunningError) {
    console.error(`${error.message}\n\n${urlTable(error.values)}\n`);
  } else if (error instanceof ConfigError || error instanceof BusyPortError) {
    console.error(error.message);
  } else {
    console.error(error instanceof Error ? error.message : error);
  }
  return 1;
}

process.exitCode = await main().catch(explain);
process.exit();
