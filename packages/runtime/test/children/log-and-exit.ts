import { createLog } from '@kopeck/runtime/log';

// The last words of a process that ends itself at once, or that an error ends.

const log = createLog({ service: 'test', level: 'info', secrets: [] });
log.info('last words');
if (process.argv[2] === 'throw') throw new Error('thrown');
process.exit(3);
