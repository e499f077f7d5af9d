import { setTimeout as delay } from 'node:timers/promises';
import type { Append } from '@kopeck/core/receive';
import type { Log } from '@kopeck/runtime/log';
import type { Network } from '../network.ts';
import type { StatsClient } from './client.ts';
import type { Listed } from './listed.ts';
import { actionIdIn, rowEvent } from './row-event.ts';

export interface ReconcileDeps {
  readonly client: StatsClient;
  readonly network: Network;
  readonly append: Append;
  readonly log: Log;
  readonly now: () => Date;
  /** Between two pages; the API asks for no more than two requests a second. */
  readonly pauseMs?: number;
}

export interface Reconciled {
  readonly rows: number;
  /** Not known to this receiver before; the ledger may know them. */
  readonly accepted: number;
  readonly duplicates: number;
  /** Not final, or senseless. */
  readonly passedOver: number;
}

export interface Look {
  readonly counts: Reconciled;
  /** Null: there was no end of pages. */
  readonly listed: Listed | null;
}

const DAY_MS = 86_400_000;
const MAX_PAGES = 1_000;

/**
 * Journals every final action whose status changed within the last days, as if its postback had come.
 * Those that are known already are found to be repeats, here or in the ledger.
 */
export async function reconcile(deps: ReconcileDeps, days: number): Promise<Look> {
  const { client, network, append, log, now, pauseMs = 500 } = deps;
  const from = dateText(new Date(now().getTime() - days * DAY_MS));
  const to = dateText(now());
  const query = { tsFrom: dateText(new Date(now().getTime() - 364 * DAY_MS)), tsTo: to };
  const counts = { rows: 0, accepted: 0, duplicates: 0, passedOver: 0 };
  const actionIds: string[] = [];
  let isWhole = false;

  for (let page = 1; page <= MAX_PAGES; page += 1) {
    if (page > 1) await delay(pauseMs);
    const asked = { ...query, statusUpdatedStart: from, statusUpdatedEnd: to };
    const { rows, hasNext } = await client.page(asked, page);
    for (const row of rows) {
      counts.rows += 1;
      actionIds.push(String(actionIdIn(row)));
      const made = rowEvent(row, network, now());
      if (made.kind !== 'event') counts.passedOver += 1;
      else if ((await append(made.event)) === 'accepted') counts.accepted += 1;
      else counts.duplicates += 1;
    }
    isWhole = !hasNext;
    if (isWhole) break;
  }
  log.info('reconciled with the statistics of EPN', { days, ...counts });
  return { counts, listed: isWhole ? { askedAt: now().toISOString(), from, actionIds } : null };
}

function dateText(date: Date): string {
  return date.toISOString().slice(0, 10);
}
