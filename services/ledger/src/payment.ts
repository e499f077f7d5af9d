import assert from 'node:assert/strict';
import type { EventOf, Grant, OrderCreated, Payment, SourceName } from '@kopeck/core/event';
import { mintedOrderId } from '@kopeck/core/grants';
import { amountOf, ISSUED_ASSETS, type Amount, type Money } from '@kopeck/core/money';
import { judge } from './judge.ts';
import { paidPostings, partialRefund, type Judgement, type Paid } from './payment-postings.ts';
import { sum, type Posting } from './posting.ts';
import { endsOf, isReview } from './review.ts';
import { inFoldOrder, type Stored, type StoredEvent } from './stored-event.ts';

export interface OrderKey {
  readonly source: 'sbp' | 'crypto';
  readonly orderId: string;
}

export type Order = OrderCreated & { readonly network: EventOf<'order.created'>['network'] };

export type PaymentStatus = 'paid' | 'failed' | 'expired' | 'refunded' | 'partially_refunded';

/** What the events of one payment come to. */
export interface PaymentState {
  /** Who was paid; not who told of the last change. */
  readonly source: SourceName;
  /** The partner's own id: invoice id, charge id, QR id. */
  readonly paymentId: string;
  readonly status: PaymentStatus;
  readonly order: OrderKey | null;
  readonly paid: Money | null;
  /** All that ought to be in the books for this payment. */
  readonly target: readonly Posting[];
  /** Why a person must look at it; null: nobody must. */
  readonly review: string | null;
  /** The event that tells what was paid. */
  readonly event: Paid | null;
  /** What the payment gives, unless it was given back whole. */
  readonly grants: readonly Grant[];
}

type Refunded = StoredEvent<'payment.refunded'>;

/** The first order that is named by any event of a payment. */
export function orderKeyOfEvents(events: readonly Stored[]): OrderKey | null {
  const payments = events.filter((event) => !isReview(event));
  return payments.map(orderKeyOf).find((found) => found !== null) ?? null;
}

/** The order that a payment names: an SBP order by the shop's id, else one that Kopeck minted. */
export function orderKeyOf({ source, data }: Stored): OrderKey | null {
  const { reference } = data as Payment;
  if (source === 'sbp') return reference === null ? null : { source, orderId: reference };
  const orderId = mintedOrderId(reference);
  return orderId === null ? null : { source: 'crypto', orderId };
}

/** A pure function of the set of events and the order, so any order of booking ends in the same books. */
export function foldPayment(events: readonly Stored[], order: Order | null): PaymentState {
  const all = inFoldOrder(events);
  const ends = endsOf(all);
  const state = foldEvents(
    all.filter((event) => !isReview(event)),
    order,
    ends,
  );
  return state.review !== null && ends.has(state.review) ? { ...state, review: null } : state;
}

type Ends = ReturnType<typeof endsOf>;

function foldEvents(ordered: readonly Stored[], order: Order | null, ends: Ends): PaymentState {
  // Paid is paid, even after the link had expired or an attempt had failed.
  const paid = ordered.find(
    (event): event is Paid => event.type === 'payment.paid' && event.data.paid !== null,
  );
  const unpriced = ordered.find((event) => event.type === 'payment.paid');
  const refunds = ordered.filter((event): event is Refunded => event.type === 'payment.refunded');
  const last = ordered.at(-1);
  const named = paid ?? unpriced ?? last;
  const orderKey = named === undefined ? null : orderKeyOf(named);

  const verdict = paid === undefined ? null : accept(judge(paid, order, orderKey !== null), ends);
  if (paid !== undefined && verdict !== null) return paidState(paid, refunds, verdict, orderKey);
  const isPaid = unpriced !== undefined;
  return {
    ...whoseOf(named),
    status: refunds.length > 0 ? 'refunded' : isPaid ? 'paid' : plainStatus(last),
    order: orderKey,
    paid: null,
    target: [],
    review: isPaid ? 'amount-unknown' : null,
    ...NOTHING,
  };
}

function whoseOf(event: Stored | undefined): Pick<PaymentState, 'source' | 'paymentId'> {
  assert(event !== undefined, 'a payment has an event');
  return { source: event.source, paymentId: (event.data as Payment).paymentId };
}

const NOTHING = { event: null, grants: [] } as const;

function plainStatus(last: Stored | undefined): PaymentStatus {
  return last?.type === 'payment.expired' ? 'expired' : 'failed';
}

function paidState(
  paid: Paid,
  refunds: readonly Refunded[],
  verdict: Judgement,
  orderKey: OrderKey | null,
): PaymentState {
  const money = paid.data.paid;
  const base = {
    ...whoseOf(paid),
    order: orderKey,
    paid: money,
    ...NOTHING,
    event: paid,
  };
  if (money === null || carriesIssuedAsset(paid.data)) {
    return { ...base, status: 'paid', target: [], review: 'reserved-asset' };
  }
  const postings = paidPostings(paid, money, verdict);
  const { grants } = verdict;
  const gross = amountOf(money.amount);
  const { amount: refunded, strange } = refundedOf(refunds, money.asset);

  if (refunded === 0n)
    return { ...base, status: 'paid', target: postings, review: strange ?? verdict.reason, grants };
  if (refunded >= gross) return { ...base, status: 'refunded', target: [], review: strange };
  const target = sum([...postings, ...partialRefund(paid, money.asset, refunded, verdict)]);
  return { ...base, status: 'partially_refunded', target, review: 'partial-refund', grants };
}

/** What a person has settled is sold, whatever the reason was; it grants nothing by itself. */
function accept(verdict: Judgement, ends: Ends): Judgement {
  const isSettled = verdict.reason !== null && ends.get(verdict.reason) === 'settled';
  return isSettled ? { ...verdict, reason: null } : verdict;
}

function carriesIssuedAsset({ paid, fee, swap }: Payment): boolean {
  return [paid, fee, swap].some((money) => money !== null && ISSUED_ASSETS.includes(money.asset));
}

/** Single refunds add up; a cumulative figure counts where it says more than they do. */
function refundedOf(
  refunds: readonly Refunded[],
  asset: string,
): { amount: Amount; strange: string | null } {
  let single = 0n;
  let cumulative = 0n;
  let strange: string | null = null;
  for (const { data } of refunds) {
    const money = data.refunded ?? data.cumulative;
    if (money?.asset !== asset) {
      strange = 'refund-of-another-asset';
    } else if (data.refunded !== null) {
      single += amountOf(data.refunded.amount);
    } else {
      const amount = amountOf(money.amount);
      if (amount > cumulative) cumulative = amount;
    }
  }
  return { amount: single > cumulative ? single : cumulative, strange };
}
