import { makeEvent } from '@kopeck/core/make-event';
import type { Append } from '@kopeck/core/receive';
import type { Log } from '@kopeck/runtime/log';
import { linksOf } from './answers.ts';
import {
  refreshPurchase,
  type Note,
  type Refresh,
  type RefreshDeps,
  type Refusal,
} from './refresh.ts';

export interface PerformDeps extends RefreshDeps {
  readonly append: Append;
  readonly log: Log;
}

export interface Operation {
  readonly purchaseId: string;
  /** A UUID; the same operation done again is the same event. */
  readonly operationId: string;
  readonly requestId?: string;
  readonly note?: Note;
  /** This attempt decides nothing: another one under the same operation will, and is told then. */
  readonly isProvisional?: (outcome: Refresh | Refusal) => boolean;
}

/** Refreshes a purchase and tells the ledger what became of it. */
export async function performRefresh(
  deps: PerformDeps,
  operation: Operation,
): Promise<Refresh | Refusal> {
  const { append, log, now } = deps;
  const { purchaseId, operationId, requestId, note, isProvisional } = operation;
  const outcome = await refreshPurchase(deps, purchaseId, operationId, note);
  log.info('configs refreshed', { purchaseId, result: outcome.result, requestId });
  if (outcome.result !== 'refused' && isProvisional?.(outcome) !== true)
    await append(refreshedEvent(outcome, operation, now()));
  return outcome;
}

function refreshedEvent(refresh: Refresh, { purchaseId, operationId }: Operation, at: Date) {
  return makeEvent({
    source: 'admin',
    type: 'config.refreshed',
    identity: [purchaseId, operationId],
    subject: `purchase:${purchaseId}`,
    time: at,
    receivedAt: at,
    network: 'main',
    money: null,
    reference: null,
    data: { purchaseId, operationId, result: refresh.result, links: linksOf(refresh) },
    evidence: '',
  });
}
