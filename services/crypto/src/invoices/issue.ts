import { randomBytes } from 'node:crypto';
import type { Grant, KopeckEvent, Network } from '@kopeck/core/event';
import { sha256 } from '@kopeck/core/identity';
import { makeEvent } from '@kopeck/core/make-event';
import type { Money } from '@kopeck/core/money';
import type { Append } from '@kopeck/core/receive';
import type { InvoiceLinks, OrderBook, OrderRecord } from '../order-book.ts';

export interface OrderDraft {
  readonly orderId: string;
  readonly network: Network;
  readonly price: Money;
  readonly grants: readonly Grant[];
  readonly user: string;
  readonly seconds: number;
}

/** How one partner makes the invoice of an order. */
export interface Issuer {
  readonly ask: () => Promise<Asked>;
  /**
   * Looks for the invoice of an `ask` that nobody knows the end of; null: not found (yet). Absent
   * where asking twice does no harm.
   */
  readonly find?: () => Promise<InvoiceLinks | null>;
}

export type Asked =
  | { readonly kind: 'made'; readonly links: InvoiceLinks }
  /** There is certainly no invoice. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }
  | { readonly kind: 'unknown' };

export interface IssueDeps {
  readonly append: Append;
  readonly book: OrderBook;
  readonly now: () => Date;
}

export function mintOrderId(): string {
  return `kp_${randomBytes(16).toString('base64url')}`;
}

export type Issued =
  | { readonly kind: 'linked'; readonly record: OrderRecord; readonly links: InvoiceLinks }
  /** The same request again, with this order id, looks the invoice up. */
  | { readonly kind: 'unanswered' }
  /** The order id stands for a request of other content. */
  | { readonly kind: 'exists' }
  | Extract<Asked, { kind: 'refused' }>;

/**
 * The order first, durably and with what it grants; then the invoice. An order whose invoice may exist
 * is only ever looked up again: a second invoice could be paid beside the first.
 */
export async function issueInvoice(
  draft: OrderDraft,
  issuer: Issuer,
  deps: IssueDeps,
): Promise<Issued> {
  const { book, now } = deps;
  const { orderId } = draft;
  const isSame = await book.claim(orderId, fingerprintOf(draft), draft.seconds);
  if (!isSame) return { kind: 'exists' };
  const fresh = recordOf(draft, now());
  const known = await book.reserve(orderId, fresh, draft.seconds);
  if (known !== null && known.links !== null) {
    return { kind: 'linked', record: known, links: known.links };
  }

  if (known !== null && issuer.find !== undefined) return look(orderId, known, issuer, book);
  await appendOrForget(draft, deps);
  return make(orderId, known ?? fresh, issuer, book);
}

async function make(
  orderId: string,
  record: OrderRecord,
  issuer: Issuer,
  book: OrderBook,
): Promise<Issued> {
  const asked = await issuer.ask();
  if (asked.kind === 'made') return keep(orderId, record, asked.links, book);
  if (asked.kind === 'unknown') return look(orderId, record, issuer, book);
  await book.forget(orderId);
  return asked;
}

async function look(
  orderId: string,
  record: OrderRecord,
  { find }: Issuer,
  book: OrderBook,
): Promise<Issued> {
  const links = (await find?.()) ?? null;
  return links === null ? { kind: 'unanswered' } : keep(orderId, record, links, book);
}

function recordOf(draft: OrderDraft, now: Date): OrderRecord {
  const { price, seconds } = draft;
  return {
    price,
    open: true,
    expiresAt: new Date(now.getTime() + seconds * 1_000).toISOString(),
    links: null,
  };
}

/** Of the order's terms: the same order may not be asked for with others. Kept long, so it is short. */
function fingerprintOf({ price, grants, user, network }: OrderDraft): string {
  return sha256(JSON.stringify([price, grants, user, network])).slice(0, 32);
}

async function keep(
  orderId: string,
  record: OrderRecord,
  links: InvoiceLinks,
  book: OrderBook,
): Promise<Issued> {
  const linked = { ...record, links };
  await book.write(orderId, linked);
  return { kind: 'linked', record: linked, links };
}

/** Without its event the order must not stand: its payment would wait in suspense for ever. */
async function appendOrForget(draft: OrderDraft, deps: IssueDeps): Promise<void> {
  try {
    await deps.append(orderEvent(draft, deps.now()));
  } catch (error) {
    await deps.book.forget(draft.orderId);
    throw error;
  }
}

function orderEvent(draft: OrderDraft, now: Date): KopeckEvent {
  const { orderId, network, price, grants, user } = draft;
  return makeEvent({
    source: 'crypto',
    type: 'order.created',
    identity: [orderId],
    subject: `order:crypto:${orderId}`,
    time: null,
    receivedAt: now,
    network,
    money: price,
    reference: orderId,
    data: { orderId, price, grants, user },
    evidence: '',
  });
}
