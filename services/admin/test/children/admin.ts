import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { adminConfig } from '../../src/config.ts';
import { startAdmin } from '../../src/start-admin.ts';
import { QUICK, SHORT } from '../timing.ts';

// A copy of the service in a process that can be killed. It says its URL on stdout.

const config = loadConfig(adminConfig, process.env);
const admin = await startAdmin(config, noLog, { deadlines: SHORT, timing: QUICK });
process.stdout.write(`${admin.url}\n`);
