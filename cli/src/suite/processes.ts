import { join } from 'node:path';
import { keepAlive, type Kept } from './keep-alive.ts';
import { serviceEnvironment } from './published.ts';
import { waitUntilReady } from './ready.ts';
import { SANDBOX_KEYS } from './sandbox-config.ts';
import { fromTheMachine, type Service } from './services.ts';
import type { Running } from './suite.ts';
import { showTrouble } from './terminal.ts';
import { SANDBOX_SERVER, SANDBOX_SUBSCRIBER } from './values.ts';

/** A process of ours is told its home only so that it can be recognised in a list of processes. */
function start(
  name: string,
  main: string,
  env: Readonly<Record<string, string>>,
  running: Running,
): Kept {
  const { settings, pidFiles, say } = running;
  const kept = keepAlive(
    {
      name,
      args: ['--import', './cli/src/suite/leave-with-parent.ts', main, settings.home],
      env,
      logFile: join(settings.home, 'log', `${name}.log`),
      onLine: showTrouble(name, say),
    },
    { pidFiles, say },
  );
  running.processes.set(name, kept);
  return kept;
}

export async function startService(running: Running, service: Service): Promise<void> {
  const { name, metricsPort } = service;
  const env = serviceEnvironment(service, running);
  const kept = start(name, `services/${name}/main.ts`, env, running);
  const port = running.settings.ports[metricsPort];
  await waitUntilReady(kept, `http://127.0.0.1:${port}/ready`, running.signal);
}

export async function startSandbox(running: Running): Promise<void> {
  const { settings, secrets, values, machine } = running;
  const { ports, home } = settings;
  const all: Readonly<Record<string, string>> = {
    ...values,
    SBP_URL: `http://127.0.0.1:${ports.SBP_PORT}`,
    CRYPTO_URL: `http://127.0.0.1:${ports.CRYPTO_PORT}`,
    MAIL_DIR: join(home, 'mail'),
    CODES_FILE: join(home, 'sandbox', 'codes.json'),
    PANEL_TOKEN: secrets.PANEL_TOKEN,
    PANEL_SERVER: SANDBOX_SERVER,
    PANEL_SUBSCRIBER: SANDBOX_SUBSCRIBER,
  };
  const own = Object.fromEntries(SANDBOX_KEYS.map((key) => [key, all[key] ?? '']));
  const env = { ...fromTheMachine(machine), ...own };
  const kept = start('sandbox', 'cli/src/suite/sandbox-main.ts', env, running);
  await waitUntilReady(kept, `http://127.0.0.1:${ports.SANDBOX_PORT}/health`, running.signal);
}
