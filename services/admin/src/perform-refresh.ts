import type { PoolConnection } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';
import { keepEvent, refreshedEvent, tellEvent, type EventDeps } from './refresh-events.ts';
import {
  refreshPurchase,
  type Note,
  type Refresh,
  type RefreshDeps,
  type Refusal,
} from './refresh.ts';

export interface PerformDeps extends RefreshDeps, EventDeps {}

export interface Operation {
  readonly purchaseId: string;
  /** A UUID; the same operation done again is the same event. */
  readonly operationId: string;
  readonly requestId?: string;
  readonly note?: Note;
  /**
   * This attempt decides nothing: another one under the same operation will, and is told then. The links
   * that it has read are kept all the same.
   */
  readonly isProvisional?: (outcome: Refresh | Refusal) => boolean;
}

/**
 * Refreshes a purchase and tells the ledger what became of it. What is told, and the note, are kept in
 * one transaction with the links.
 */
export async function performRefresh(
  deps: PerformDeps,
  operation: Operation,
): Promise<Refresh | Refusal> {
  const { pool, log, now } = deps;
  const { purchaseId, operationId, requestId, note, isProvisional } = operation;
  const at = now();
  const keep = async (tx: PoolConnection, refresh: Refresh): Promise<void> => {
    if (isProvisional?.(refresh) === true) return;
    await keepEvent(tx, refreshedEvent(refresh, operation, at));
    await note?.(tx, refresh);
  };

  const outcome = await refreshPurchase(deps, purchaseId, operationId, keep);
  log.info('configs refreshed', { purchaseId, result: outcome.result, requestId });
  if (outcome.result === 'refused' || isProvisional?.(outcome) === true) return outcome;
  if ('error' in outcome) await inTransaction(pool, (tx) => keep(tx, outcome));
  await tellEvent(deps, refreshedEvent(outcome, operation, at));
  return outcome;
}
