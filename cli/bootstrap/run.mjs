import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const NOT_FOUND = 127;
const LOOK_AT_PARENT_EVERY_MS = 500;

/** The folder of the repository: everything runs there, wherever it was called from. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The tools that npm installs, our Node among them. */
export const TOOLS = join(ROOT, 'node_modules', '.bin');

/** Runs one of our tools; its `#!/usr/bin/env node` finds our Node, the first in the path. */
export function runTool(tool, args) {
  return run(join(TOOLS, tool), args, { PATH: [TOOLS, pathWithoutTools()].join(delimiter) });
}

/** The machine's own Node and npm, also when npm itself has put ours before them. */
export function pathWithoutTools() {
  const folders = (process.env.PATH || '').split(delimiter);
  return folders.filter((folder) => !folder.endsWith(join('node_modules', '.bin'))).join(delimiter);
}

/** Node keeps here what it has read of our TypeScript: every process after the first starts faster. */
const COMPILE_CACHE = join(ROOT, 'node_modules', '.cache', 'compile');

/**
 * Runs a command in our terminal to its end, and gives its exit code as a shell would. It is as if
 * the command had been called itself: signals that we get reach it, and we stay until it has ended.
 */
export async function run(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, ...env },
  });
  const letGo = passSignalsOn(child);
  const watch = process.env.npm_lifecycle_event === undefined ? undefined : endWithNpm(child);

  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`could not run ${command}: ${error.message}`);
      resolve(NOT_FOUND);
    });
    child.once('exit', (exitCode, signal) =>
      resolve(exitCode === null ? 128 + constants.signals[signal] : exitCode),
    );
  });
  clearInterval(watch);
  letGo();
  return code;
}

/** Whether this is the exit code of a command that a signal has ended, or that says so. */
export function wasInterrupted(code) {
  return code > 128;
}

function passSignalsOn(child) {
  const pass = (signal) => child.kill(signal);
  // Ctrl-C in a terminal reaches the whole group, so the child has it already; a script's
  // `kill -INT` reaches us alone.
  const interrupt = process.stdin.isTTY ? () => {} : pass;
  const handlers = { SIGINT: interrupt, SIGTERM: pass, SIGHUP: pass };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}

/** npm does not pass SIGTERM on: it dies, and leaves us behind with another parent. */
function endWithNpm(child) {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, LOOK_AT_PARENT_EVERY_MS);
}
