import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { startReceiver } from '@kopeck/runtime/receiver';
import { epnServiceConfig } from '../../src/config.ts';
import { epnRoutes } from '../../src/routes.ts';

// The real receiver, but for one thing: when a postback is on disk, and before anybody is told so,
// the process kills itself. It says its URL on stdout.

const config = loadConfig(epnServiceConfig, process.env);
const receiver = await startReceiver({
  name: 'epn',
  queue: 'events-epn',
  config,
  port: 0,
  metricsPort: 0,
  log: noLog,
  routes: (deps) =>
    epnRoutes({
      ...deps,
      config,
      networks: [],
      ledger: { isDown: () => false },
      append: async (event) => {
        const result = await deps.append(event);
        process.kill(process.pid, 'SIGKILL');
        return result;
      },
    }),
});
process.stdout.write(`${receiver.url}\n`);
