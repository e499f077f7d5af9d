import { once } from 'node:events';
import { sendReport } from '@kopeck/runtime/incidents';
import { noLog } from '@kopeck/runtime/log';
import { openRedis } from '@kopeck/runtime/redis';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- test-alert

Reports an incident that is none, the whole way that a real one goes: Redis, courier, mail server.`;

const WITHIN_MS = 10_000;

export async function run(args: readonly string[], context: Context): Promise<number> {
  if (args.length > 0) throw new Advice(USAGE);
  const { find, value, say, now } = context;
  const to = find('ALERT_EMAIL');
  if (!find('SMTP_URL') || !to) throw new Advice('Please set SMTP_URL and ALERT_EMAIL first.');

  const redis = openRedis(value('REDIS_URL'), noLog);
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(WITHIN_MS) });
    const connection = { redis, prefix: find('REDIS_PREFIX') ?? '{kopeck}' };
    // Each trial is an incident of its own.
    const at = now().toISOString();
    const report = { service: 'operator', instance: at, kind: 'test-alert', at, detail: {} };
    await sendReport(connection, { ...report, state: 'open' });
    await sendReport(connection, { ...report, state: 'closed' });
  } catch {
    throw new Advice('Redis does not take it: see `kopeck doctor`.');
  } finally {
    redis.disconnect();
  }
  say(`The courier was told. Within a minute there are two mails at ${to}: OPEN and OVER.`);
  say(
    'If not: `kopeck doctor` tries the mail server, `kopeck logs courier` says what it answered.',
  );
  return 0;
}
