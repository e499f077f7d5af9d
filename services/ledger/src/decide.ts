import type { EventOf, KopeckEvent, ReviewDecision } from '@kopeck/core/event';
import { affiliateAlert, foldAffiliate, pastStatus, type AffiliateState } from './affiliate.ts';
import { orderText, push, type Knowledge, type Seen } from './knowledge.ts';
import { orderKeyOf, type OrderKey, type PaymentState } from './payment.ts';
import { sum, type Posting } from './posting.ts';
import { bookDifference, refoldPayment } from './refold.ts';
import { isReview, type ReviewEnd } from './review.ts';
import { storedEvent, type Inputs } from './stored-event.ts';
import { isReused } from './svix-messages.ts';

export type Outcome = 'booked' | 'noted' | 'review' | 'quarantined';

/** What becomes of one event: everything that its booking writes, and nothing that looks at a clock. */
export interface Decision {
  readonly kind: 'new';
  /** The id in the inbox: the event's own, or that of the completion of an event without an amount. */
  readonly id: string;
  readonly event: KopeckEvent;
  readonly inputs: Inputs;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly postings: readonly Posting[];
  readonly payments: ReadonlyMap<string, PaymentState>;
  readonly affiliate: AffiliateState | null;
  readonly order: OrderKey | null;
  /** Null as reason: what was open for the subject is settled. */
  readonly reviews: ReadonlyMap<string, string | null>;
  /** The row that a person has decided. */
  readonly closes: (ReviewDecision & { readonly end: ReviewEnd }) | null;
  /** Booked, and yet the operator must hear of it: a charge-back. */
  readonly alert: string | null;
}

export type Verdict =
  | Decision
  | { readonly kind: 'duplicate'; readonly event: KopeckEvent; readonly review: string | null }
  | { readonly kind: 'conflict' | 'heartbeat'; readonly event: KopeckEvent };

/** Decides one event and lets the knowledge know, so that the next of the batch stands on it. */
export function decide(event: KopeckEvent, inputs: Inputs, knowledge: Knowledge): Verdict {
  if (event.type === 'heartbeat') return { kind: 'heartbeat', event };
  const { contenthash } = event;
  const seen = knowledge.seen.get(event.id) ?? [];
  const repeat = repeatOf(event, seen, isReused(event, knowledge.messages));
  if (repeat === 'conflict') {
    push(knowledge.seen, event.id, { contenthash, isIncomplete: true, isBooked: false });
    return { kind: 'conflict', event };
  }
  if (repeat === 'duplicate') {
    const review = pastStatus(event, knowledge.events.get(event.subject) ?? []);
    return { kind: 'duplicate', event, review };
  }

  const isIncomplete = event.type === 'payment.paid' && event.data.paid === null;
  push(knowledge.seen, event.id, { contenthash, isIncomplete, isBooked: true });
  const id = repeat === 'completion' ? completionId(event.id) : event.id;
  return { kind: 'new', id, event, inputs, ...effectsOf(event, inputs, knowledge) };
}

function effectsOf(event: KopeckEvent, inputs: Inputs, knowledge: Knowledge): Effects {
  if (isPayment(event)) return decidePayment(event, inputs, knowledge);
  if (isAffiliate(event)) return decideAffiliate(event, inputs, knowledge);
  if (event.type === 'order.created') return decideOrder(event, knowledge);
  if (isReview(event)) return decideReview(event, inputs, knowledge);
  if (event.type === 'quarantined') {
    const { reason } = event.data;
    const reviews = new Map([[event.subject, reason]]);
    return { ...NOTHING, outcome: 'quarantined', reason, reviews };
  }
  return NOTHING;
}

/** The inbox row under which an event without an amount was completed by its like that has one. */
export function completionId(eventId: string): string {
  return `${eventId}${COMPLETED}`;
}

export const COMPLETED = '.completed';

type Effects = Omit<Decision, 'kind' | 'id' | 'event' | 'inputs'>;

const NOTHING: Effects = {
  outcome: 'noted',
  reason: null,
  postings: [],
  payments: new Map(),
  affiliate: null,
  order: null,
  reviews: new Map(),
  closes: null,
  alert: null,
};

/** Null: never seen. A paid event that tells no amount contradicts nothing that is known. */
function repeatOf(
  event: KopeckEvent,
  seen: readonly Seen[],
  isOfAnotherMessage: boolean,
): 'duplicate' | 'conflict' | 'completion' | null {
  // What was only ever kept as a conflict is booked when it comes in a message of its own.
  if (!isOfAnotherMessage && !seen.some(({ isBooked }) => isBooked)) return null;
  if (seen.some(({ contenthash }) => contenthash === event.contenthash)) return 'duplicate';
  if (event.type !== 'payment.paid') return 'conflict';
  if (event.data.paid === null) return 'duplicate';
  return seen.every(({ isIncomplete }) => isIncomplete) ? 'completion' : 'conflict';
}

/** Payments that came before their order waited in suspense, and settle themselves now. */
function decideOrder(event: EventOf<'order.created'>, knowledge: Knowledge): Effects {
  const { source, data, network } = event;
  const key: OrderKey = { source: source === 'sbp' ? 'sbp' : 'crypto', orderId: data.orderId };
  const text = orderText(key);
  if (knowledge.orders.has(text)) return { ...NOTHING, reason: 'order-known' };

  knowledge.orders.set(text, { ...data, network });
  const refolded = (knowledge.payments.get(text) ?? []).map((subject) =>
    refoldPayment(subject, knowledge),
  );
  const postings = refolded.flatMap((payment) => payment.postings);
  return {
    ...NOTHING,
    outcome: postings.length > 0 ? 'booked' : 'noted',
    order: key,
    postings: sum(postings),
    payments: new Map(refolded.map(({ subject, state }) => [subject, state])),
    reviews: new Map(refolded.map(({ subject, state }) => [subject, state.review])),
  };
}

/** A person's decision is folded with the events of its subject; money that is settled leaves suspense. */
function decideReview(
  event: EventOf<'review.settled' | 'review.dismissed'>,
  inputs: Inputs,
  knowledge: Knowledge,
): Effects {
  const { subject, type, data } = event;
  push(knowledge.events, subject, storedEvent(event as KopeckEvent, inputs));
  const closes = { ...data, end: type === 'review.settled' ? 'settled' : 'dismissed' } as const;
  const isPaid = knowledge.events.get(subject)?.some((other) => other.type.startsWith('payment.'));
  if (isPaid !== true) return { ...NOTHING, closes };
  const { state, postings } = refoldPayment(subject, knowledge);
  const outcome = postings.length > 0 ? 'booked' : 'noted';
  return { ...NOTHING, outcome, postings, payments: new Map([[subject, state]]), closes };
}

type PaymentEvent = Extract<KopeckEvent, { type: `payment.${string}` }>;

function isPayment(event: KopeckEvent): event is PaymentEvent {
  return event.type.startsWith('payment.');
}

function decidePayment(event: PaymentEvent, inputs: Inputs, knowledge: Knowledge): Effects {
  const { subject } = event;
  const stored = storedEvent(event, inputs);
  push(knowledge.events, subject, stored);
  const key = orderKeyOf(stored);
  if (key !== null && !knowledge.payments.get(orderText(key))?.includes(subject)) {
    push(knowledge.payments, orderText(key), subject);
  }
  const { state, postings } = refoldPayment(subject, knowledge);
  return {
    ...NOTHING,
    outcome: outcomeOf(state.review, postings),
    reason: state.review,
    postings,
    payments: new Map([[subject, state]]),
    reviews: new Map([[subject, state.review]]),
  };
}

type AffiliateEvent = Extract<KopeckEvent, { type: `affiliate.${string}` }>;

function isAffiliate(event: KopeckEvent): event is AffiliateEvent {
  return event.type.startsWith('affiliate.');
}

function decideAffiliate(event: AffiliateEvent, inputs: Inputs, knowledge: Knowledge): Effects {
  const { subject } = event;
  const before = foldAffiliate(knowledge.events.get(subject) ?? []);
  push(knowledge.events, subject, storedEvent(event, inputs));
  const state = foldAffiliate(knowledge.events.get(subject) ?? []);
  if (state === null) return NOTHING;
  const isLate = before?.current.id === state.current.id;
  const postings = bookDifference(subject, state.target, knowledge);
  return {
    ...NOTHING,
    outcome: outcomeOf(state.review, postings),
    reason: state.review,
    postings,
    affiliate: state,
    // What changes nothing explains nothing either: a review that is open stays so.
    reviews: isLate && state.review === null ? new Map() : new Map([[subject, state.review]]),
    alert: affiliateAlert(before, state),
  };
}

function outcomeOf(review: string | null, postings: readonly Posting[]): Outcome {
  if (review !== null) return 'review';
  return postings.length > 0 ? 'booked' : 'noted';
}
