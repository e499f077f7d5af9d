import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { openDatabase } from '@kopeck/runtime/database';
import { openQueue } from '@kopeck/runtime/queue';
import { reviewEvent, type ReviewEnd } from '../../../services/ledger/src/review.ts';
import { Advice, type Context } from './command.ts';
import { withRedis } from './with-redis.ts';

const USAGE = `usage: npm run kopeck -- review list [--all]
       npm run kopeck -- review settle ID --why TEXT [--by NAME]
       npm run kopeck -- review dismiss ID --why TEXT [--by NAME]

settle: the money is what was sold, and moves from suspense to sales. dismiss: it stays where it is.
Either is an event of its own, with who and why.`;

const ENDS: Readonly<Record<string, ReviewEnd>> = { settle: 'settled', dismiss: 'dismissed' };
const BOOKED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 200;

export async function run(args: readonly string[], context: Context): Promise<number> {
  const { verb, id, why, by, all } = readArguments(args);
  const pool = openDatabase(context.value('DATABASE_URL'), { connections: 1 });
  try {
    if (verb === 'list') return await list(pool, all, context.say);
    const end = ENDS[verb];
    if (end === undefined || id === '' || why === '') throw new Advice(USAGE);
    return await decide(pool, await decisionOf(pool, { end, id, why, by }, context.now()), context);
  } finally {
    await pool.end();
  }
}

function readArguments(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { why: { type: 'string' }, by: { type: 'string' }, all: { type: 'boolean' } },
    });
    const [verb = 'list', id = ''] = positionals;
    const { why = '', by = userInfo().username, all = false } = values;
    return { verb, id, why, by, all };
  } catch {
    throw new Advice(USAGE);
  }
}

async function list(pool: Pool, all: boolean, say: (text: string) => void): Promise<number> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT r.id, r.opened_at, r.state, r.reason, p.amount, p.asset, r.event_id, r.subject
      FROM reviews r LEFT JOIN payments p ON p.subject = r.subject
      WHERE r.state = 'open' OR ? ORDER BY r.id`,
    [all],
  );
  for (const row of rows) {
    const money = row['amount'] === null ? '' : ` ${row['amount']} ${row['asset']}`;
    const at = (row['opened_at'] as Date).toISOString();
    say(
      `${row['id']}  ${at}  ${row['state']}  ${row['reason']}${money}\n    ${row['event_id']}  ${row['subject']}`,
    );
  }
  if (rows.length === 0) say('Nobody need look at anything.');
  return 0;
}

interface Wish {
  readonly end: ReviewEnd;
  readonly id: string;
  readonly why: string;
  readonly by: string;
}

async function decisionOf(pool: Pool, { end, id, why, by }: Wish, now: Date): Promise<KopeckEvent> {
  const [[row]] = await pool.query<RowDataPacket[]>(
    `SELECT r.event_id, r.subject, r.reason, r.state, i.network FROM reviews r
      LEFT JOIN inbox i ON i.event_id = r.event_id WHERE r.id = ?`,
    [id],
  );
  if (row === undefined) throw new Advice(`There is no row ${id} in the review queue.`);
  if (row['state'] !== 'open') throw new Advice(`Row ${id} is ${row['state']} already.`);
  const network = row['network'] === 'test' ? 'test' : 'main';
  const {
    event_id: eventId,
    subject,
    reason,
  } = row as Record<'event_id' | 'subject' | 'reason', string>;
  return reviewEvent(end, { eventId, subject, reason, network, by, why }, now);
}

/** Through the queue like every other event, so that only the ledger writes the books. */
async function decide(pool: Pool, event: KopeckEvent, context: Context): Promise<number> {
  const { say } = context;
  await withRedis(context, ({ redis, prefix }) => publish(event, redis, prefix));
  for (let waited = 0; waited < BOOKED_WITHIN_MS; waited += LOOK_EVERY_MS) {
    const [[row]] = await pool.query<RowDataPacket[]>(
      'SELECT outcome, seq FROM inbox WHERE event_id = ?',
      [event.id],
    );
    if (row !== undefined) {
      say(`${row['outcome']} as ${event.id}, seq ${row['seq']}`);
      return 0;
    }
    await delay(LOOK_EVERY_MS);
  }
  say(`On the queue as ${event.id}; the ledger has not booked it yet.`);
  return 1;
}

async function publish(event: KopeckEvent, redis: Redis, prefix: string): Promise<void> {
  const queue = openQueue('events-admin', redis, prefix);
  try {
    await queue.publish([event]);
  } finally {
    await queue.close();
  }
}
