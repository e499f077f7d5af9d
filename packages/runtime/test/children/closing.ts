import { createLog } from '@kopeck/runtime/log';
import { closeOnSignal, createClosing } from '@kopeck/runtime/shutdown';

/** Says when it is ready, waits for a signal, and tells what it closes. */
const log = createLog({ service: 'closing', level: 'info', secrets: [] });
const closing = createClosing(log);
const alive = setInterval(() => undefined, 1_000);

for (const name of ['first', 'second', 'third']) {
  closing.add(name, async () => log.info(`closed ${name}`));
}
closing.add('clock', () => clearInterval(alive));
closeOnSignal(closing, log);
log.info('ready');
