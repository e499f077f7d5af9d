import { openDatabase } from '@kopeck/runtime/database';
import { replayDead } from '../../../services/courier/src/deliveries.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- replay [ID …]

ID is a row of the table outbox; without one, all dead calls are made again.`;

export async function run(args: readonly string[], context: Context): Promise<number> {
  if (!args.every((id) => /^\d{1,20}$/.test(id))) throw new Advice(USAGE);
  // The courier's own login may change the outbox, and nothing else.
  const url = context.find('COURIER_DATABASE_URL') ?? context.value('DATABASE_URL');
  const pool = openDatabase(url, { connections: 1 });
  try {
    const count = await replayDead(pool, context.now(), args.length === 0 ? undefined : args);
    context.say(`${count} ${count === 1 ? 'call is' : 'calls are'} made again.`);
    return 0;
  } finally {
    await pool.end();
  }
}
