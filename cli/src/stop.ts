import { findRunningSuite } from './suite/kopeck-env.ts';
import { hasGone } from './suite/pids.ts';
import { readSettings } from './suite/settings.ts';

const STOPPED_WITHIN_MS = 60_000;

async function main(): Promise<number> {
  const { home } = readSettings(process.env);
  const running = findRunningSuite(home);
  if (running === null) {
    console.log(`No suite is running in ${home}.`);
    return 0;
  }
  process.kill(running.pid, 'SIGTERM');
  if (await hasGone(running.pid, STOPPED_WITHIN_MS)) {
    console.log('Stopped.');
    return 0;
  }
  console.error(`Process ${running.pid} has not stopped. \`kill -9 ${running.pid}\` ends it.`);
  return 1;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
