import type { KopeckEvent, ReviewDecision } from '@kopeck/core/event';
import { makeEvent } from '@kopeck/core/make-event';
import type { Stored } from './stored-event.ts';

export type ReviewEnd = 'settled' | 'dismissed';

/** settle: the money is what was sold. dismiss: it stays where it is, and nobody need look again. */
export function reviewEvent(
  end: ReviewEnd,
  row: ReviewDecision & { readonly subject: string; readonly network: 'main' | 'test' },
  now: Date,
): KopeckEvent {
  const { subject, network, eventId, reason, by, why } = row;
  return makeEvent({
    source: 'admin',
    type: `review.${end}`,
    identity: [eventId, reason],
    subject,
    time: null,
    receivedAt: now,
    network,
    money: null,
    reference: reason,
    data: { eventId, reason, by, why },
    evidence: '',
  });
}

export function isReview<T extends { readonly type: string }>(
  event: T,
): event is T & { readonly type: `review.${ReviewEnd}`; readonly data: ReviewDecision } {
  return event.type === 'review.settled' || event.type === 'review.dismissed';
}

/** By reason, the last word of a person. The events are in the order in which they are folded. */
export function endsOf(ordered: readonly Stored[]): ReadonlyMap<string, ReviewEnd> {
  return new Map(
    ordered
      .filter((event) => isReview(event))
      .map(({ type, data }) => [data.reason, type === 'review.settled' ? 'settled' : 'dismissed']),
  );
}
