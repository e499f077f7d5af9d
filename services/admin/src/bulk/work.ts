import type { Work } from '@kopeck/runtime/work-queue';
import { linksOf } from '../answers.ts';
import { RETRYABLE } from '../panels/port.ts';
import { performRefresh, type PerformDeps } from '../perform-refresh.ts';
import type { Failure, Refresh, Refusal } from '../refresh.ts';
import { uuidOf } from './uuid.ts';
import { concludeItem, finishIfDone, isPending, type Conclusion, type Item } from './store.ts';

/** Another attempt may do better; the queue makes it. */
export class TryAgain extends Error {
  override name = 'TryAgain' as const;
}

/**
 * Refreshes one purchase of a bulk and concludes its row in the transaction that keeps the links, so
 * that a process that dies in between leaves either nothing or all. Throws TryAgain.
 */
export async function workOn(deps: PerformDeps, { data: item, isLast }: Work<Item>): Promise<void> {
  const { pool, now, log } = deps;
  if (!(await isPending(pool, item))) {
    // Whoever concluded it may have died before the look whether it was the last.
    await finishIfDone(pool, item.jobId, now());
    return;
  }

  const isProvisional = (result: Refresh | Refusal): boolean => !isLast && isRetried(result);
  const outcome = await performRefresh(deps, {
    isProvisional,
    purchaseId: item.purchaseId,
    operationId: uuidOf(`${item.jobId}.${item.purchaseId}`),
    note: (tx, refresh) => concludeItem(tx, item, conclusionOf(refresh)),
  });
  if (isProvisional(outcome)) throw new TryAgain(`purchase ${item.purchaseId}`);
  if (outcome.result === 'refused') await concludeItem(pool, item, conclusionOf(outcome));
  if (await finishIfDone(pool, item.jobId, now()))
    log.info('bulk refresh finished', { job: item.jobId });
}

/** Only what waiting may mend. */
function isRetried(outcome: Refresh | Refusal): boolean {
  if (outcome.result === 'refused') return outcome.error === 'refresh_in_progress';
  return outcome.servers.some(({ error }) => error !== undefined && RETRYABLE[error]);
}

const UNREACHABLE: readonly Failure[] = ['panel_unreachable', 'panel_timeout'];

function conclusionOf(outcome: Refresh | Refusal): Conclusion {
  if (outcome.result === 'refused')
    return { outcome: 'failed', error: outcome.error, links: 0, failedServers: [] };
  const failing = outcome.servers.filter(({ error }) => error !== undefined);
  const about = {
    links: linksOf(outcome),
    failedServers: failing.map(({ serverId }) => serverId),
  };
  if (!('error' in outcome))
    return { ...about, outcome: outcome.result, error: failing[0]?.error ?? null };
  const isConnection = UNREACHABLE.includes(outcome.error);
  return { ...about, outcome: isConnection ? 'connection' : 'failed', error: outcome.error };
}
