import { openDatabase } from '@kopeck/runtime/database';
import { openReplay, type Replay } from '@kopeck/runtime/replay';
import { replayDead } from '../../../services/courier/src/deliveries.ts';
import { readEvents } from '../../../services/ledger/src/read-events.ts';
import { Advice, type Context } from './command.ts';
import { withRedis } from './with-redis.ts';

const USAGE = `usage: npm run kopeck -- replay [ID …]

ID is an event (cryptobot.payment.paid.0123…), which goes to the ledger once more and is booked only if it
is not in the books, or a row of the table outbox, whose call is made again. Without one, all that was
given up is tried again: calls that are dead, and events in the failed sets of the queues.`;

const CALL = /^\d{1,20}$/;
const EVENT = /^[a-z]+\.[a-z.]+\.[0-9a-f]{40}$/;

export async function run(args: readonly string[], context: Context): Promise<number> {
  if (!args.every((id) => CALL.test(id) || EVENT.test(id))) throw new Advice(USAGE);
  const calls = args.filter((id) => CALL.test(id));
  const events = args.filter((id) => EVENT.test(id));
  const isAll = args.length === 0;
  if (isAll || calls.length > 0) await replayCalls(isAll ? undefined : calls, context);
  if (!isAll && events.length === 0) return 0;
  return withReplay(context, (replay) =>
    isAll ? retryAll(replay, context) : replayEvents(events, replay, context),
  );
}

async function replayCalls(ids: readonly string[] | undefined, context: Context): Promise<void> {
  // The courier's own login may change the outbox, and nothing else.
  const url = context.find('COURIER_DATABASE_URL') ?? context.value('DATABASE_URL');
  const pool = openDatabase(url, { connections: 1 });
  try {
    const count = await replayDead(pool, context.now(), ids);
    context.say(`${count} ${count === 1 ? 'call is' : 'calls are'} made again.`);
  } finally {
    await pool.end();
  }
}

async function retryAll(replay: Replay, { say }: Context): Promise<number> {
  const retried = await replay.retryFailed();
  if (retried.length > 0) say(`Given up by the queues, and tried again:\n${listed(retried)}`);
  return 0;
}

/** From the books, else from the failed set of a queue. */
async function replayEvents(
  ids: readonly string[],
  replay: Replay,
  { value, say }: Context,
): Promise<number> {
  const pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    const known = await readEvents(pool, ids);
    await replay.send(known);
    const sent = new Set(known.map(({ id }) => id));
    const retried = await replay.retryFailed(new Set(ids.filter((id) => !sent.has(id))));
    for (const id of retried) sent.add(id);
    const unknown = ids.filter((id) => !sent.has(id));
    if (sent.size > 0) say(`On the way to the ledger again:\n${listed([...sent])}`);
    if (unknown.length > 0)
      say(`Neither in the books nor given up by a queue:\n${listed(unknown)}`);
    return unknown.length > 0 ? 1 : 0;
  } finally {
    await pool.end();
  }
}

const listed = (ids: readonly string[]): string => ids.map((id) => `  ${id}`).join('\n');

function withReplay(context: Context, work: (replay: Replay) => Promise<number>): Promise<number> {
  return withRedis(context, async (connection) => {
    const replay = openReplay(connection);
    try {
      return await work(replay);
    } finally {
      await replay.close();
    }
  });
}
