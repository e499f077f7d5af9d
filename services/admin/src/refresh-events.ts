import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { makeEvent } from '@kopeck/core/make-event';
import type { Append } from '@kopeck/core/receive';
import type { Log } from '@kopeck/runtime/log';
import type { Closing } from '@kopeck/runtime/shutdown';
import { linksOf } from './answers.ts';
import type { Refresh } from './refresh.ts';

export interface EventDeps {
  readonly append: Append;
  /** The ids of events that the journal has, and that need not be kept any more. */
  readonly told: Set<string>;
  readonly log: Log;
}

const AT_ONCE = 500;

export function refreshedEvent(
  refresh: Refresh,
  { purchaseId, operationId }: { readonly purchaseId: string; readonly operationId: string },
  at: Date,
): KopeckEvent {
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

/** In the transaction that keeps the links, so that one is never there without the other. */
export async function keepEvent(tx: PoolConnection, event: KopeckEvent): Promise<void> {
  await tx.query(
    `INSERT INTO refresh_events (id, event, created_at) VALUES (?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE id = id`,
    [event.id, JSON.stringify(event)],
  );
}

/** What cannot be journaled now stays, and is journaled by the sweep. */
export async function tellEvent({ append, told, log }: EventDeps, event: KopeckEvent) {
  try {
    await append(event);
    told.add(event.id);
  } catch (error) {
    log.warn('an event waits to be journaled', { event: event.id, error });
  }
}

export interface SweepOptions {
  readonly deps: EventDeps & { readonly pool: Pool; readonly closing: Closing };
  /** How often what a process that died, or a journal that was full, has left behind is told. */
  readonly sweepMs: number;
  /** How often what has been told is forgotten: one DELETE for many of a bulk. */
  readonly forgetMs: number;
}

/** An event that is told twice is one: its id is the same. */
export function sweepEvents({ deps, sweepMs, forgetMs }: SweepOptions): void {
  const { pool, told, log, closing } = deps;

  async function tellOld(): Promise<void> {
    const [rows] = await pool.query<RowDataPacket[]>(
      `SELECT event FROM refresh_events WHERE created_at < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND
        ORDER BY created_at LIMIT ?`,
      [sweepMs * 1_000, AT_ONCE],
    );
    for (const row of rows) await tellEvent(deps, JSON.parse(String(row['event'])) as KopeckEvent);
  }

  async function forget(): Promise<void> {
    while (told.size > 0) {
      const ids = [...told].slice(0, AT_ONCE);
      await pool.query('DELETE FROM refresh_events WHERE id IN (?)', [ids]);
      for (const id of ids) told.delete(id);
    }
  }

  const warn = (error: unknown): void => log.warn('events could not be looked at', { error });
  const sweeping = setInterval(() => void tellOld().catch(warn), sweepMs);
  const forgetting = setInterval(() => void forget().catch(warn), forgetMs);
  closing.add('event sweep', async () => {
    clearInterval(sweeping);
    clearInterval(forgetting);
    await forget().catch(warn);
  });
}
