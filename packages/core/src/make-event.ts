import type { EventData, EventOf, EventType, KopeckEvent, Network, SourceName } from './event.ts';
import { contentHash, eventId } from './identity.ts';
import type { Money } from './money.ts';

export interface Draft<T extends EventType> {
  readonly source: SourceName;
  readonly type: T;
  /** The business identity of the table in the design: all parts as the partner wrote them. */
  readonly identity: readonly string[];
  readonly subject: string;
  /** The partner's own time of the event; null where it tells none. */
  readonly time: Date | null;
  readonly receivedAt: Date;
  readonly network: Network;
  /** For the content hash: the gross amount and the partner's reference. */
  readonly money: Money | null;
  readonly reference: string | null;
  readonly data: EventData[T];
  readonly evidence: string;
}

export function makeEvent<T extends EventType>(draft: Draft<T>): KopeckEvent {
  const { source, type, subject, network, data, evidence, receivedAt } = draft;
  const receivedat = receivedAt.toISOString();
  const event: EventOf<T> = {
    specversion: '1.0',
    id: eventId(source, type, draft.identity),
    source,
    type,
    subject,
    time: draft.time?.toISOString() ?? receivedat,
    receivedat,
    network,
    contenthash: contentHash({ type, subject, money: draft.money, reference: draft.reference }),
    data,
    evidence,
  };
  return event as KopeckEvent;
}
