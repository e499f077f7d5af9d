import type { Redis } from 'ioredis';
import type { KopeckEvent } from '@kopeck/core/event';
import type { Append } from '@kopeck/core/receive';
import type { Incidents } from '@kopeck/runtime/incidents';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import type { CryptoPayApp } from '../cryptobot/client.ts';
import type { BotApi } from '../telegram/client.ts';
import type { Heard } from './heard.ts';
import { readInvoices } from './invoices.ts';
import { openSeen, type Seen } from './seen.ts';
import { readTransactions } from './transactions.ts';

export interface ReconcileDeps {
  readonly apps: readonly CryptoPayApp[];
  readonly bot: BotApi | null;
  /** Payments in Stars whose webhook has come. */
  readonly heard: Heard;
  readonly append: Append;
  readonly redis: Redis;
  readonly prefix: string;
  /** What was paid longer ago is not looked at: it may be older than Kopeck. */
  readonly days: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly incidents?: Incidents;
  readonly now: () => Date;
}

/** What one partner's list came to. */
export interface Reconciled {
  readonly account: string;
  readonly state: 'done' | 'failed';
  /** Payments and refunds that were looked at for the first time. */
  readonly checked: number;
  /** Of those, the ones of which no webhook had come. */
  readonly found: number;
}

/** Reads pages until there is nothing new; each page is handed over before the next is read. */
export type ReadList = (take: Take, context: ListContext) => Promise<void>;

/** Resolves to how many of the events were new. What only a list tells lacks no webhook. */
export type Take = (
  events: readonly KopeckEvent[],
  toldBy?: 'webhook' | 'list-alone',
) => Promise<number>;

export interface ListContext {
  readonly redis: Redis;
  readonly key: string;
  readonly now: () => Date;
  /** What was paid before is not looked at. */
  readonly since: Date;
  /** Somebody waits for the result, and wants all of it. */
  readonly isAsked: boolean;
}

const DAY_MS = 86_400_000;

/** One after the other, and a list that cannot be read costs the others nothing. */
export async function reconcile(
  deps: ReconcileDeps,
  isAsked: boolean,
): Promise<readonly Reconciled[]> {
  const { apps, bot, heard } = deps;
  const results: Reconciled[] = [];
  for (const app of apps) {
    const account = `cryptobot:${app.app}:${app.network}`;
    results.push(await reconcileOne({ account, read: readInvoices(app), isAsked }, deps));
  }
  if (bot !== null) {
    const account = `telegram:${bot.bot}`;
    results.push(
      await reconcileOne({ account, read: readTransactions(bot, heard), isAsked }, deps),
    );
  }
  return results;
}

interface List {
  readonly account: string;
  readonly read: ReadList;
  readonly isAsked: boolean;
}

async function reconcileOne(
  { account, read, isAsked }: List,
  deps: ReconcileDeps,
): Promise<Reconciled> {
  const { redis, prefix, now, log, metrics } = deps;
  const key = `${prefix}:events-crypto:reconciled:${account}`;
  const seen = openSeen(redis, key);
  const since = new Date(now().getTime() - deps.days * DAY_MS);
  const counts = { checked: 0, found: 0 };
  const [source = ''] = account.split(':');
  try {
    await seen.forgetBefore(since);
    await read(
      async (events, toldBy = 'webhook') => {
        const recent = events.filter(({ time }) => Date.parse(time) >= since.getTime());
        const fresh = await takeAll(recent, seen, deps.append);
        counts.checked += fresh.checked;
        if (toldBy === 'webhook') counts.found += fresh.found;
        return fresh.checked;
      },
      { redis, key: `${key}:offset`, now, since, isAsked },
    );
    if (counts.found > 0) log.warn('payments without a webhook', { account, ...counts });
    tellFound(account, counts.found, deps);
    metrics.count('kopeck_payments_without_webhook_total', { source }, counts.found);
    metrics.gauge('kopeck_reconciled_at_seconds', now().getTime() / 1_000, { source });
    return { account, state: 'done', ...counts };
  } catch (error) {
    log.warn('a list could not be reconciled', { account, error });
    metrics.count('kopeck_reconcile_failures_total', { source });
    return { account, state: 'failed', ...counts };
  }
}

/** Open until a reading finds that every payment had told of itself. */
function tellFound(account: string, found: number, { incidents }: ReconcileDeps): void {
  const kind = `webhook-missed:${account}`;
  if (found > 0) incidents?.open(kind, { account, payments: found });
  else incidents?.close(kind);
}

async function takeAll(
  events: readonly KopeckEvent[],
  seen: Seen,
  append: Append,
): Promise<{ checked: number; found: number }> {
  const fresh = await seen.unseen(events);
  // All at once: they share the journal's transaction, and its fsync.
  const results = await Promise.all(fresh.map((event) => append(event)));
  await seen.add(fresh);
  return {
    checked: fresh.length,
    found: results.filter((result) => result === 'accepted').length,
  };
}
