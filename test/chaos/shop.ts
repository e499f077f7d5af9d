import { setTimeout as delay } from 'node:timers/promises';
import { orderSbp, payQr, refreshConfigs, refundSbp, type Answer } from '../rig/partners.ts';
import type { Rig } from '../rig/rig.ts';
import { contentOf, idOf, type Known, type Truth } from './truth.ts';

/** What the shop and the operator know at the end. */
export interface Shop extends Truth {
  /** Orders that Kopeck has confirmed. */
  readonly ordered: ReadonlySet<string>;
  /** Of those, what the bank's customer has paid. */
  readonly paid: ReadonlySet<string>;
  /** Of those, what Kopeck has said that it gives back. */
  readonly refunded: ReadonlySet<string>;
  readonly refreshes: {
    /** However often the operator asked, and whether or not there was an answer. */
    readonly asked: number;
    /** Those that were reported done. */
    readonly done: number;
  };
}

const TRIES = 5;
const PAUSE_MS = 100;
/** Of each order that is given back; every fourth is. */
const REFUND = '4';
const EVERY = 4;

/** A shop that orders codes by SBP whose buyers pay, and an operator who refreshes configs, until told to stop. */
export async function runShop(rig: Rig, signal: AbortSignal): Promise<Shop> {
  const events = new Map<string, Known>();
  const accepted = new Set<string>();
  const ordered = new Set<string>();
  const paid = new Set<string>();
  const refunded = new Set<string>();
  const toGiveBack: string[] = [];
  const refreshes = { asked: 0, done: 0 };

  async function sell(turn: number): Promise<void> {
    const orderId = `chaos-${turn}`;
    const price = `${10 + (turn % 90)}`;
    const created = sbpEvent('order.created', [orderId], contentOf(`${price} RUB`, orderId));
    events.set(created.id, created);
    const answer = await insist(() => orderSbp(rig, orderId, price));
    if (answer === null) return;
    ordered.add(orderId);
    accepted.add(created.id);

    const code = String(answer.body['qrcId']);
    const payment = sbpEvent('payment.paid', ['raiffeisen', code], created.content);
    events.set(payment.id, payment);
    const done = await payQr(rig, code, Number(price)).catch(() => null);
    if (done?.status !== 200) return;
    paid.add(orderId);
    accepted.add(payment.id);
    if (turn % EVERY === 0) toGiveBack.push(orderId);
  }

  /** Refused until Kopeck knows that the order is paid: an order whose turn is over is not given back. */
  async function giveBack(): Promise<void> {
    const orderId = toGiveBack.shift();
    if (orderId === undefined) return;
    const answer = await insist(() => refundSbp(rig, orderId, REFUND));
    if (answer !== null) refunded.add(orderId);
  }

  async function refresh(): Promise<void> {
    const answer = await insist(() => {
      refreshes.asked += 1;
      return refreshConfigs(rig, '1');
    });
    if (answer !== null) refreshes.done += 1;
  }

  async function repeat(work: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !signal.aborted; turn += 1) {
      await work(turn);
      await delay(PAUSE_MS);
    }
  }
  await Promise.all([repeat(sell), repeat(giveBack), repeat(refresh)]);
  return { events, accepted, ordered, paid, refunded, refreshes };
}

function sbpEvent(type: string, identity: readonly string[], content: string): Known {
  return { id: idOf('sbp', type, identity), content };
}

/** A few times with the same order: an order whose answer was lost is asked for again, not made anew. */
export async function insist(ask: () => Promise<Answer>): Promise<Answer | null> {
  for (let turn = 0; turn < TRIES; turn += 1) {
    const answer = await ask().catch(() => null);
    if (answer?.status === 200) return answer;
    await delay(PAUSE_MS * 2);
  }
  return null;
}
