import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase } from '@kopeck/runtime/database';
import { withDeadline } from '@kopeck/runtime/shutdown';
import type { Pool } from 'mysql2/promise';
import type { Book } from './book.ts';
import { claimDeliveries } from './claim.ts';
import {
  closeUnwanted,
  countDead,
  markDelivered,
  markForLater,
  markGivenUp,
  type Delivery,
  type DeliveryKind,
  type Tried,
} from './deliveries.ts';
import { createDispatch } from './dispatch.ts';
import { parseMessages } from './messages.ts';
import { addLoop, type Parts } from './parts.ts';
import { nextTry } from './schedule.ts';
import { createTelegram } from './telegram.ts';
import { createWebhook } from './webhook.ts';

type Try = (delivery: Delivery) => Promise<Tried>;

const LOOK_MS = 250;
const DEAD_MS = 1_000;
const CLOSE_WITHIN_MS = 2_000;
const WEBHOOKS_AT_ONCE = 32;
/** Telegram allows about 30 a second: so many each 250 ms. */
const MESSAGES_A_LOOK = 6;

/** The operator's bot and the payers are told: each kind in its own loop, so that none waits for another. */
export function startDeliveries(parts: Parts, book: Book): readonly string[] {
  const { config, closing, now } = parts;
  const pool = openDatabase(config.DATABASE_URL, { connections: 6 });
  closing.add('deliveries', () => withDeadline(pool.end(), CLOSE_WITHIN_MS));

  const { FULFILMENT_URL: url, FULFILMENT_SECRET: secrets, TELEGRAM_BOT_TOKEN: token } = config;
  const warnings: string[] = [];
  if (url !== undefined && secrets !== undefined) {
    startWebhooks(parts, pool, createWebhook({ url, secrets, now }));
    addLoop(parts, 'dead letters', DEAD_MS, () => reportDead(parts, pool, book));
  } else {
    warnings.push('FULFILMENT_URL or FULFILMENT_SECRET is not set: no program is told of payments');
    addLoop(parts, 'no webhooks', DEAD_MS, () => closeUnwanted(pool, 'webhook', now()));
  }
  if (token !== undefined) {
    startMessages(parts, pool, telegramOf(parts, token));
  } else {
    warnings.push('TELEGRAM_BOT_TOKEN is not set: no payer gets a message');
    addLoop(parts, 'no messages', DEAD_MS, () => closeUnwanted(pool, 'telegram', now()));
  }
  return warnings;
}

function telegramOf({ config }: Parts, token: string): Try {
  const { TELEGRAM_API_URL: apiUrl, MESSAGE_LANGUAGE: language } = config;
  const messages = parseMessages(config.MESSAGES) ?? parseMessages('{}');
  if (messages === null) throw new Error('the messages of the configuration were not checked');
  return createTelegram({ apiUrl, token, messages, language });
}

function startWebhooks(parts: Parts, pool: Pool, attempt: Try): void {
  const { now, log, closing } = parts;
  const stopping = new AbortController();
  const dispatch = createDispatch({
    claim: (limit) => claimDeliveries(pool, 'webhook', limit, now()),
    bring: async (delivery) => {
      await settle(parts, pool, { kind: 'webhook', delivery, tried: await attempt(delivery) });
    },
    concurrency: WEBHOOKS_AT_ONCE,
    onError: (error) => log.warn('a delivery could not be written down', { error }),
    signal: stopping.signal,
  });
  addLoop(parts, 'webhooks', LOOK_MS, dispatch);
  closing.add('webhooks under way', () => stopping.abort());
}

/** When Telegram says that it is too much, it is too much for everybody. */
function startMessages(parts: Parts, pool: Pool, attempt: Try): void {
  let waitMs = 0;
  const stopping = new AbortController();
  parts.closing.add('messages under way', () => stopping.abort());
  addLoop(parts, 'messages', LOOK_MS, async () => {
    await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    waitMs = 0;
    const claimed = await claimDeliveries(pool, 'telegram', MESSAGES_A_LOOK, parts.now());
    await Promise.all(
      claimed.map(async (delivery) => {
        const tried = await attempt(delivery);
        if (tried.kind === 'again') waitMs = Math.max(waitMs, tried.retryAfterMs ?? 0);
        await settle(parts, pool, { kind: 'telegram', delivery, tried });
      }),
    );
  });
}

interface Settled {
  readonly kind: DeliveryKind;
  readonly delivery: Delivery;
  readonly tried: Tried;
}

async function settle(
  { now, log, metrics }: Parts,
  pool: Pool,
  { kind, delivery, tried }: Settled,
): Promise<void> {
  metrics.count('kopeck_messages_total', { kind, result: tried.kind });
  if (tried.kind === 'delivered') return markDelivered(pool, delivery, now());
  const { error } = tried;
  log.warn('a message was not delivered', { kind, message: delivery.id, error });
  if (tried.kind === 'final') {
    return markGivenUp(pool, delivery, now(), { error, dead: false });
  }
  const { retryAfterMs } = tried;
  const isFlood = kind === 'telegram' && retryAfterMs !== null;
  const attempts = isFlood ? 0 : delivery.attempts;
  const random = isFlood ? () => 0 : Math.random;
  const until = isFlood
    ? new Date(now().getTime() + retryAfterMs)
    : nextTry({ attempts, now: now(), retryAfterMs, random });
  if (until === null) {
    return markGivenUp(pool, delivery, now(), { error, dead: kind === 'webhook' });
  }
  return markForLater(pool, delivery, until, { error, counts: !isFlood });
}

async function reportDead({ metrics, now }: Parts, pool: Pool, book: Book): Promise<void> {
  const kind = 'webhook-dead';
  const dead = await countDead(pool);
  metrics.gauge('kopeck_webhooks_dead', dead);
  const at = now().toISOString();
  if (dead > 0) book.open(kind, { service: 'courier', kind, detail: { dead }, since: at });
  else book.close(kind, at);
}
