import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { cryptobot, orderInvoice, type Answer } from '../rig/partners.ts';
import type { Outside } from '../rig/outside.ts';
import type { Rig } from '../rig/rig.ts';
import { SECRETS } from '../rig/secrets.ts';
import { starPayment, type PartnerEvent } from './partner-events.ts';
import type { Random } from './random.ts';
import { insist } from './shop.ts';
import { contentOf, idOf, type Known, type Truth } from './truth.ts';

/** What those who buy by an invoice know at the end. */
export interface Bought extends Truth {
  /** Orders whose invoice or link was given out. */
  readonly invoices: number;
  /** Payments that Kopeck never took, however often they were told. */
  readonly refused: readonly string[];
}

export interface BuyersOptions {
  readonly rig: Rig;
  readonly outside: Outside;
  readonly random: Random;
  readonly seed: number;
  readonly signal: AbortSignal;
}

const PAUSE_MS = 100;
const TELLINGS = 4;
/** More than any fault lasts. */
const TRIES = 600;

/** Orders of Kopeck's own that are paid at CryptoBot and in Stars: the payment says no more than kp_…. */
export async function runBuyers(options: BuyersOptions): Promise<Bought> {
  const { rig, outside, random, seed, signal } = options;
  const events = new Map<string, Known>();
  const accepted = new Set<string>();
  const refused: string[] = [];
  let invoices = 0;

  /** The answer; null: there was none, and nobody knows whether there is an order. */
  async function order(of: 'crypto' | 'stars', body: Ordered): Promise<Answer | null> {
    const { orderId, amount, asset, ndn, user } = body;
    const price = of === 'crypto' ? { asset, amount } : { stars: amount };
    const content = contentOf(`${amount} ${asset}`, orderId);
    const created = { id: idOf('crypto', 'order.created', [orderId]), content };
    events.set(created.id, created);
    const answer = await insist(() => orderInvoice(rig, of, { orderId, user, ndn, ...price }));
    if (answer === null) return null;
    invoices += 1;
    accepted.add(created.id);
    return answer;
  }

  /** A few times, and until it is taken. */
  async function tell(event: PartnerEvent): Promise<void> {
    events.set(event.id, event);
    let left = random.whole(1, TELLINGS);
    for (let each = 1; left > 0 && each <= TRIES; each += 1) {
      const answer = await event.tell(rig, each).catch(() => null);
      if (answer?.status === 200) {
        accepted.add(event.id);
        left -= 1;
      }
      await delay(PAUSE_MS);
    }
    if (!accepted.has(event.id)) refused.push(event.id);
  }

  async function buyByInvoice(turn: number): Promise<void> {
    const orderId = mint(`crypto-${seed}-${turn}`);
    const amount = String(random.whole(5, 50));
    const answer = await order('crypto', {
      orderId,
      user: '7001',
      ndn: '100',
      asset: 'USDT',
      amount,
    });
    if (answer === null) return;
    const number = Number(answer.body['invoiceId']);
    const invoice = await outside.pay(number);
    await tell(paidInvoice(number, invoice, contentOf(`${amount} USDT`, orderId)));
  }

  async function buyByLink(turn: number): Promise<void> {
    const orderId = mint(`stars-${seed}-${turn}`);
    const stars = random.whole(5, 50);
    const terms = { orderId, user: '7002', ndn: '100', asset: 'XTR', amount: String(stars) };
    if ((await order('stars', terms)) === null) return;
    const payment = { charge: `link-${turn}`, user: 7_002, stars, orderId };
    await tell(starPayment('payment.paid', payment));
    if (random.part() < 0.3) await tell(starPayment('payment.refunded', payment));
  }

  async function repeat(work: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !signal.aborted; turn += 1) {
      await work(turn);
      await delay(PAUSE_MS);
    }
  }
  await Promise.all([repeat(buyByInvoice), repeat(buyByLink)]);
  return { events, accepted, invoices, refused };
}

interface Ordered {
  readonly orderId: string;
  readonly user: string;
  readonly ndn: string;
  readonly asset: string;
  readonly amount: string;
}

/** Chosen here, so that an order whose answer was lost is asked for again and not made anew. */
function mint(from: string): string {
  return `kp_${createHash('sha256').update(from).digest().subarray(0, 16).toString('base64url')}`;
}

function paidInvoice(number: number, invoice: object, content: string): PartnerEvent {
  const [app = ''] = SECRETS.CRYPTOBOT_TOKEN.split(':');
  return {
    id: idOf('cryptobot', 'payment.paid', [app, 'main', String(number)]),
    content,
    insists: true,
    tell(rig, telling) {
      const request_date = new Date(Date.UTC(2026, 9, 5, 12, 35, telling)).toISOString();
      const update = { update_id: telling, update_type: 'invoice_paid', request_date };
      return cryptobot(rig, JSON.stringify({ ...update, payload: invoice }));
    },
  };
}
