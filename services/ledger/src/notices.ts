import type { Grant, KopeckEvent } from '@kopeck/core/event';
import { mintedOrderId } from '@kopeck/core/grants';
import { sha256 } from '@kopeck/core/identity';
import type { Paid } from './payment-postings.ts';
import type { PaymentState } from './payment.ts';

/** One message that the courier has to bring. */
export interface Notice {
  readonly kind: 'webhook' | 'telegram' | 'alert';
  /** Messages of one kind and subject are brought in their order. */
  readonly subject: string;
  readonly payload: object;
}

/** What the world was last told of a payment; '' is nothing yet. */
export type Told = string;

/** What there is to tell; '' while it waits for what would explain it. */
export function toTell({ status, paid, review }: PaymentState): Told {
  if (paid === null) return '';
  if (status !== 'paid') return status;
  return review === null ? 'paid' : `review:${review}`;
}

/**
 * What follows when a payment's state has become another one: a call for the operator's bot, a message
 * for whoever got something, an alert where a person must decide.
 */
export function noticesOf(subject: string, state: PaymentState, before: Told): readonly Notice[] {
  const now = toTell(state);
  if (now === before || now === '' || state.event === null) return [];
  if (now.startsWith('review:')) {
    const payload = { reason: 'suspense', source: state.event.source };
    return before === '' ? [{ kind: 'alert', subject, payload }] : [];
  }
  return [
    { kind: 'webhook', subject, payload: { type: `payment.${now}`, data: dataOf(state) } },
    ...messagesOf(state, now),
  ];
}

/** The operator's bot is told of the money of a test network, too; nobody gets anything for it. */
function dataOf({ event, order, status, paid, grants }: PaymentState): object {
  if (event === null) return {};
  const { source, network, time, data } = event;
  const { provider, app, paymentId, reference, price, fee, payer, recurring } = data;
  return {
    status,
    source,
    network,
    provider,
    app,
    paymentId,
    orderId: order?.orderId ?? null,
    reference,
    paid,
    price,
    fee,
    payer,
    recurring,
    paidAt: time,
    grants: network === 'main' ? grants : [],
  };
}

function messagesOf(state: PaymentState, now: Told): readonly Notice[] {
  const { event, grants, paid } = state;
  if (event === null || event.network !== 'main' || paid === null) return [];
  const credits = grants.filter((grant): grant is Credit => grant.kind === 'credit');
  if (now === 'paid' && grants.length > 0) {
    return credits.flatMap(({ user, asset, amount }) =>
      message(user, 'credited', { asset, amount, ...speaking(user, event) }),
    );
  }
  const template = TEMPLATES[now] ?? 'paid';
  return usersOf(state, event).flatMap((user) =>
    message(user, template, { ...paid, ...speaking(user, event) }),
  );
}

const TEMPLATES: Readonly<Record<string, string>> = {
  refunded: 'refunded',
  partially_refunded: 'partly-refunded',
};

/** Whoever got something; else whoever paid, where the partner is Telegram itself. */
function usersOf({ grants }: PaymentState, { source, data }: Paid): readonly string[] {
  const users = new Set(grants.map(({ user }) => user));
  if (users.size === 0 && source === 'telegram' && data.payer !== null) users.add(data.payer);
  return [...users];
}

/** As the last of these payments that the user has made tells it. */
export function languageOf(user: string, payments: readonly PaymentState[]): string | null {
  const paid = payments.findLast(({ event }) => event?.data.payer === user);
  return paid?.event?.data.language ?? null;
}

/** Only the payer's language is known. */
function speaking(user: string, { data }: Paid): { readonly language: string | null } {
  return { language: user === data.payer ? (data.language ?? null) : null };
}

type Credit = Extract<Grant, { kind: 'credit' }>;

/** None for a user who is not Telegram's. */
function message(user: string, template: string, values: object): readonly Notice[] {
  if (!/^[1-9]\d{0,15}$/.test(user)) return [];
  const payload = { chat: user, template, ...values };
  return [{ kind: 'telegram', subject: `user:${user}`, payload }];
}

/** What Telegram tells of a payer and no payment shows: the operator's bot hears it from us alone. */
export function updateNotices(event: KopeckEvent): readonly Notice[] {
  if (event.type !== 'subscription.changed' && event.type !== 'media.purchased') return [];
  const { type, subject, source, network, receivedat, data } = event;
  const orderId = mintedOrderId(data.reference);
  const payload = { type, data: { source, network, ...data, orderId, receivedAt: receivedat } };
  return [{ kind: 'webhook', subject, payload }];
}

export interface Subscribed {
  readonly user: string;
  readonly plan: string;
  readonly until: Date | null;
  readonly before: Date | null;
}

/** Only a plan that runs longer is news for its user: that one was taken back the refund tells. */
export function subscriptionNotices(
  { user, plan, until, before }: Subscribed,
  language: string | null,
): readonly Notice[] {
  const activeUntil = until?.toISOString() ?? null;
  const webhook: Notice = {
    kind: 'webhook',
    subject: `subscription:${user}:${plan}`,
    payload: { type: 'subscription.updated', data: { user, plan, activeUntil } },
  };
  const isLonger = until !== null && (before === null || until > before);
  if (!isLonger) return [webhook];
  return [webhook, ...message(user, 'subscribed', { plan, activeUntil, language })];
}

/** The same for the same message, also after the books were built anew: the receiver knows a repeat by it. */
export function messageId(subject: string, sequence: bigint, eventId: string): string {
  return `msg_${sha256(JSON.stringify([subject, sequence.toString(), eventId])).slice(0, 40)}`;
}
