import type { Knowledge } from './knowledge.ts';
import { orderText } from './knowledge.ts';
import { foldPayment, orderKeyOfEvents, type PaymentState } from './payment.ts';
import { difference, unbalanced, type Posting } from './posting.ts';

/** Folds a payment with all that is known of it now; the difference is what must be booked. */
export function refoldPayment(
  subject: string,
  knowledge: Knowledge,
): { subject: string; state: PaymentState; postings: readonly Posting[] } {
  const events = knowledge.events.get(subject) ?? [];
  const key = orderKeyOfEvents(events);
  const order = key === null ? null : (knowledge.orders.get(orderText(key)) ?? null);
  const state = foldPayment(events, order);
  return { subject, state, postings: bookDifference(subject, state.target, knowledge) };
}

export function bookDifference(
  subject: string,
  target: readonly Posting[],
  knowledge: Knowledge,
): readonly Posting[] {
  const postings = difference(target, knowledge.booked.get(subject) ?? []);
  const wrong = unbalanced(postings);
  if (wrong.length > 0) throw new Error(`postings of ${wrong.join(', ')} do not add up to zero`);
  knowledge.booked.set(subject, target);
  return postings;
}
