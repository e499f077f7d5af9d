import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { makeEvent } from '@kopeck/core/make-event';
import type { Append } from '@kopeck/core/receive';
import type { Log } from '@kopeck/runtime/log';
import type { Closing } from '@kopeck/runtime/shutdown';
import { linksOf } from './answers.ts';
import type { Refresh } from './refresh.ts';

export interface EventDeps {
  readonly pool: Pool;
  readonly append: Append;
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
export async function tellEvent({ pool, append, log }: EventDeps, event: KopeckEvent) {
  try {
    await append(event);
    await pool.query('DELETE FROM refresh_events WHERE id = ?', [event.id]);
  } catch (error) {
    log.warn('an event waits to be journaled', { event: event.id, error });
  }
}

/** Tells what a process that died, or a journal that was full, has left behind. */
export function sweepEvents(deps: EventDeps & { readonly closing: Closing }, everyMs: number) {
  const { pool, log, closing } = deps;

  async function sweep(): Promise<void> {
    const [rows] = await pool.query<RowDataPacket[]>(
      `SELECT event FROM refresh_events WHERE created_at < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND
        ORDER BY created_at LIMIT ?`,
      [everyMs * 1_000, AT_ONCE],
    );
    for (const row of rows) await tellEvent(deps, JSON.parse(String(row['event'])) as KopeckEvent);
  }

  const sweeping = setInterval(() => {
    sweep().catch((error: unknown) => log.warn('events could not be looked at', { error }));
  }, everyMs);
  closing.add('event sweep', () => clearInterval(sweeping));
}
