import { openDatabase } from '@kopeck/runtime/database';
import { openImpatientDatabase } from '@kopeck/runtime/impatient-database';
import { withDeadline } from '@kopeck/runtime/shutdown';
import { tellAlerts } from './alerts.ts';
import { createCap, type Cap } from './cap.ts';
import { readHead, withHead, type ChainHead } from './chain-head.ts';
import type { CourierConfig } from './config.ts';
import { createMailer, type Send } from './mailer.ts';
import { openMemory } from './memory.ts';
import { addLoop, type Parts } from './parts.ts';

const LOOK_MS = 1_000;
const HEAD_MS = 10_000;
const HEAD_WITHIN_MS = 1_000;
const LOAD_WITHIN_MS = 2_000;
const CLOSE_WITHIN_MS = 2_000;

/** How mail goes out: signed with the head of the books, and not too often. Null: nobody gets any. */
export async function startMails(parts: Parts): Promise<Cap | null> {
  const mailer = mailerOf(parts.config);
  return mailer === null ? null : startCap(parts, await startHead(parts, mailer));
}

function mailerOf({
  SMTP_URL: url,
  ALERT_EMAIL: to,
  ALERT_FROM: from,
}: CourierConfig): Send | null {
  return url === undefined || to === undefined ? null : createMailer({ url, to, from });
}

/** Read from time to time as well: the first mail of all may be that the database is away. */
async function startHead(parts: Parts, send: Send): Promise<Send> {
  const { config, redis, log, now, closing } = parts;
  const database = openImpatientDatabase(config.DATABASE_URL, HEAD_WITHIN_MS);
  closing.add('head', database.close);
  const memory = openMemory<ChainHead>({
    redis,
    key: `${config.REDIS_PREFIX}:incidents:head`,
    merge: (mine) => mine,
    log,
  });
  await withDeadline(memory.loaded, LOAD_WITHIN_MS);
  const head = { database, memory, now };
  addLoop(parts, 'head of the books', HEAD_MS, () => readHead(head));
  return withHead(send, head);
}

async function startCap(parts: Parts, send: Send): Promise<Cap> {
  const { config, redis, log, now } = parts;
  const key = `${config.REDIS_PREFIX}:incidents:mails`;
  const memory = openMemory<string>({ redis, key, merge: (mine) => mine, log });
  await withDeadline(memory.loaded, LOAD_WITHIN_MS);
  const { ALERTS_PER_HOUR: perHour, ALERTS_PER_DAY: perDay } = config;
  return createCap({ send, memory, perHour, perDay, log, now });
}

export async function startAlerts(parts: Parts, { send, isMuted }: Cap): Promise<void> {
  const { config, log, redis, closing } = parts;
  const pool = openDatabase(config.DATABASE_URL, { connections: 2 });
  closing.add('database', () => withDeadline(pool.end(), CLOSE_WITHIN_MS));
  const mailedAt = openMemory<string>({
    redis,
    key: `${config.REDIS_PREFIX}:alerts`,
    merge: (mine, earlier) => (mine > earlier ? mine : earlier),
    log,
  });
  await withDeadline(mailedAt.loaded, LOAD_WITHIN_MS);
  addLoop(parts, 'alerts', parts.lookEveryMs ?? LOOK_MS, async () => {
    if (isMuted()) return;
    await tellAlerts({
      ...parts,
      pool,
      mailedAt,
      send,
      digestMinutes: config.COURIER_DIGEST_MINUTES,
      retryMs: config.COURIER_RETRY_MS,
    });
  });
}
