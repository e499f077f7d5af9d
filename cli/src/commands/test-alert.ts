import { sendReport } from '@kopeck/runtime/incidents';
import { Advice, type Context } from './command.ts';
import { withRedis } from './with-redis.ts';

const USAGE = `usage: npm run kopeck -- test-alert

Reports an incident that is none, the whole way that a real one goes: Redis, courier, mail server.`;

export async function run(args: readonly string[], context: Context): Promise<number> {
  if (args.length > 0) throw new Advice(USAGE);
  const { find, say, now } = context;
  const to = find('ALERT_EMAIL');
  if (!find('SMTP_URL') || !to) throw new Advice('Please set SMTP_URL and ALERT_EMAIL first.');

  await withRedis(context, async (connection) => {
    // Each trial is an incident of its own.
    const at = now().toISOString();
    const report = { service: 'operator', instance: at, kind: 'test-alert', at, detail: {} };
    await sendReport(connection, { ...report, state: 'open' });
    await sendReport(connection, { ...report, state: 'closed' });
  });
  say(`The courier was told. Within a minute there are two mails at ${to}: OPEN and OVER.`);
  say(
    'If not: `kopeck doctor` tries the mail server, `kopeck logs courier` says what it answered.',
  );
  return 0;
}
