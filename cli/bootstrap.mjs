// The launcher behind `npm start`, `npm test` and the rest. It is plain JavaScript without
// dependencies, because it runs on whatever Node the machine has, before anything is installed; what
// it starts runs on the Node that npm installs.

import { Advice, say } from './bootstrap/advice.mjs';
import { check } from './bootstrap/check.mjs';
import { ensureDatabases, thisMachine } from './bootstrap/databases.mjs';
import { ensureDependencies, isInstalled } from './bootstrap/dependencies.mjs';
import { runTool } from './bootstrap/run.mjs';

const COMMANDS = {
  start: async (args) => {
    await ensureDependencies();
    await ensureDatabases(thisMachine());
    return runTool('node', ['cli/src/start.ts', ...args]);
  },
  // These two talk to a running suite: to renew node_modules now would pull it from under its feet.
  stop: async (args) => {
    if (isInstalled()) return runTool('node', ['cli/src/stop.ts', ...args]);
    say('Nothing is installed here, so nothing is running.');
    return 0;
  },
  simulate: async (args) => {
    if (!isInstalled()) await ensureDependencies();
    return runTool('node', ['cli/src/simulate.ts', ...args]);
  },
  kopeck: async (args) => {
    if (!isInstalled()) await ensureDependencies();
    return runTool('node', ['cli/src/kopeck.ts', ...args]);
  },
  test: async (args) => {
    await ensureDependencies();
    await ensureDatabases(thisMachine());
    return runTool('vitest', ['run', ...args]);
  },
  check: async () => {
    await ensureDependencies();
    return check();
  },
};

async function main([name, ...args]) {
  const command = COMMANDS[name];
  if (command === undefined) {
    throw new Advice(
      `usage: node cli/bootstrap.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`,
    );
  }
  return command(args);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error instanceof Advice ? error.message : error);
    process.exitCode = 1;
  },
);
