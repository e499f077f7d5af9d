import type { EventOf, EventType, KopeckEvent } from '@kopeck/core/event';

/** Every rate, price, plan and percent that was in force when the event was decided. */
export type Inputs = Readonly<Record<string, string>>;

/** An event as the ledger keeps it: what happened, and by which rules of the house it was judged. */
export interface StoredEvent<T extends EventType = EventType> {
  readonly id: string;
  readonly source: EventOf<T>['source'];
  readonly type: T;
  readonly subject: string;
  readonly network: EventOf<T>['network'];
  readonly time: string;
  readonly data: EventOf<T>['data'];
  readonly inputs: Inputs;
}

export type Stored = { [T in EventType]: StoredEvent<T> }[EventType];

export function storedEvent(event: KopeckEvent, inputs: Inputs): Stored {
  const { id, source, type, subject, network, time, data } = event;
  return { id, source, type, subject, network, time, data, inputs } as Stored;
}

/** The order in which a subject's events are folded, whatever the order in which they were booked. */
export function inFoldOrder(events: readonly Stored[]): readonly Stored[] {
  return events.toSorted((a, b) => {
    if (a.time !== b.time) return a.time < b.time ? -1 : 1;
    return a.id < b.id ? -1 : 1;
  });
}
