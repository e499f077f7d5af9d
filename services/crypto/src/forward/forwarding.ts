import { create } from 'axios';
import { isRecord, parseJsonText } from '@kopeck/core/json';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import type { BotApi } from '../telegram/client.ts';
import { SECRET_HEADER } from '../telegram/verify.ts';
import type { ForwardQueue } from './forward-queue.ts';

export interface ForwardingOptions {
  readonly url: string;
  /** The bot's webhook has a secret of its own. */
  readonly secret: string | undefined;
  readonly queue: ForwardQueue;
  readonly api: BotApi | null;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

export interface Forwarding {
  readonly stop: () => void;
}

const LOOK_MS = 100;
const AT_ONCE = 16;
const WITHIN_MS = 15_000;
const KEEP_MS = 24 * 3_600_000;
const RETRY_MS = [1_000, 2_000, 5_000, 15_000, 60_000];

/** What is not about money goes on to the bot behind us, unchanged, as if Telegram had brought it. */
export function startForwarding(options: ForwardingOptions): Forwarding {
  const { queue, log, now } = options;
  const failures = new Map<string, number>();
  let underWay = 0;

  async function look(): Promise<void> {
    if (underWay >= AT_ONCE) return;
    for (const chat of await queue.claim(AT_ONCE - underWay, now())) {
      underWay += 1;
      void forwardFirst(chat, options, failures)
        .catch((error: unknown) => log.debug('forwarding waits', { error }))
        .finally(() => (underWay -= 1));
    }
  }

  const timer = setInterval(() => {
    look().catch((error: unknown) => log.debug('forwarding waits', { error }));
  }, LOOK_MS);
  return { stop: () => clearInterval(timer) };
}

async function forwardFirst(
  chat: string,
  options: ForwardingOptions,
  failures: Map<string, number>,
): Promise<void> {
  const { queue, metrics, now, log } = options;
  const update = await queue.first(chat);
  const isOld = update !== null && now().getTime() - Date.parse(update.receivedAt) > KEEP_MS;
  const isDone = update === null || isOld || (await forward(update.body, options));
  if (isDone) {
    if (isOld) log.warn('an update for the bot was given up after a day');
    failures.delete(chat);
    await queue.drop(chat, now());
  } else {
    const failed = failures.get(chat) ?? 0;
    failures.set(chat, failed + 1);
    const waitMs = RETRY_MS[Math.min(failed, RETRY_MS.length - 1)] ?? LOOK_MS;
    await queue.postpone(chat, new Date(now().getTime() + waitMs));
  }
  const result = isOld ? 'given-up' : isDone ? 'done' : 'failed';
  metrics.count('kopeck_forwarded_total', { result });
}

const client = create({
  timeout: WITHIN_MS,
  maxRedirects: 0,
  maxContentLength: 1024 * 1024,
  responseType: 'arraybuffer',
  validateStatus: () => true,
  proxy: false,
});

/** Whether the bot has taken it. */
async function forward(body: string, { url, secret, api }: ForwardingOptions): Promise<boolean> {
  try {
    const { status, data } = await client.post<Buffer>(url, Buffer.from(body), {
      headers: {
        'Content-Type': 'application/json',
        ...(secret === undefined ? {} : { [SECRET_HEADER]: secret }),
      },
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    if (status < 200 || status > 299) return false;
    await callBack(data, api);
    return true;
  } catch {
    return false;
  }
}

/** A bot may answer with a call of the Bot API: Telegram would make it, so we do. */
async function callBack(data: Buffer, api: BotApi | null): Promise<void> {
  const answer = parseJsonText(data);
  if (!isRecord(answer) || api === null) return;
  const { method, ...parameters } = JSON.parse(data.toString('utf8')) as Record<string, unknown>;
  if (typeof method === 'string' && /^[A-Za-z]{3,60}$/.test(method)) {
    await api.call(method, parameters);
  }
}
