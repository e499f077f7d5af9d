import { inflateSync } from 'node:zlib';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';

/**
 * Events of the inbox as they once came off the queue; those that it does not have are left out. Where
 * retention has emptied the evidence, theirs is empty: nothing is known by it.
 */
export async function readEvents(
  pool: Pool,
  ids: readonly string[],
): Promise<readonly KopeckEvent[]> {
  if (ids.length === 0) return [];
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT i.event_id, i.source, i.type, i.subject, i.occurred_at, i.received_at, i.network,
        i.contenthash, i.data, e.body
      FROM inbox i LEFT JOIN evidence e USING (event_id) WHERE i.event_id IN (?) ORDER BY i.seq`,
    [ids],
  );
  return rows.map(eventOf);
}

function eventOf(row: RowDataPacket): KopeckEvent {
  const body = row['body'] as Buffer | null;
  const event: unknown = {
    specversion: '1.0',
    id: row['event_id'],
    source: row['source'],
    type: row['type'],
    subject: row['subject'],
    time: (row['occurred_at'] as Date).toISOString(),
    receivedat: (row['received_at'] as Date).toISOString(),
    network: row['network'],
    contenthash: row['contenthash'],
    data: JSON.parse(String(row['data'])),
    evidence: body === null ? '' : inflateSync(body).toString(),
  };
  return event as KopeckEvent;
}
