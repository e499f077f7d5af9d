import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import type { Verdict } from './decide.ts';
import { insert } from './sql.ts';

/** By partner and the id of the message: the event that it brought. */
export type Messages = Map<string, string>;

type MessageKey = readonly [partner: string, messageId: string];

/** What is known of the messages that brought these events; most events came in none. */
export async function loadMessages(
  tx: PoolConnection,
  events: readonly KopeckEvent[],
): Promise<Messages> {
  const keys = events.map(messageOf).filter((key) => key !== null);
  if (keys.length === 0) return new Map();
  const [rows] = await tx.query<RowDataPacket[]>(
    'SELECT partner, message_id, event_id FROM svix_messages WHERE (partner, message_id) IN (?)',
    [keys],
  );
  return new Map(
    rows.map((row) => [
      textOf([String(row['partner']), String(row['message_id'])]),
      String(row['event_id']),
    ]),
  );
}

/** Whether the event came in a message that has brought another one; otherwise the message is its own. */
export function isReused(event: KopeckEvent, messages: Messages): boolean {
  const key = messageOf(event);
  if (key === null) return false;
  const first = messages.get(textOf(key)) ?? event.id;
  messages.set(textOf(key), first);
  return first !== event.id;
}

export async function recordMessages(
  tx: PoolConnection,
  verdicts: readonly Verdict[],
): Promise<void> {
  await insert(
    tx,
    `INSERT INTO svix_messages (partner, message_id, event_id) VALUES ?
      ON DUPLICATE KEY UPDATE event_id = event_id`,
    verdicts.flatMap(({ kind, event }) => {
      const key = messageOf(event);
      return key === null || kind === 'conflict' ? [] : [[...key, event.id]];
    }),
  );
}

function messageOf(event: KopeckEvent): MessageKey | null {
  if (!('messageId' in event.data) || event.data.messageId === undefined) return null;
  return [event.data.partner, event.data.messageId];
}

function textOf(key: MessageKey): string {
  return JSON.stringify(key);
}
