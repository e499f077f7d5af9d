import { setTimeout as delay } from 'node:timers/promises';
import { orderSbp, payQr, refreshConfigs, type Answer } from '../rig/partners.ts';
import type { Rig } from '../rig/rig.ts';

/** What the shop and the operator know at the end. */
export interface Shop {
  /** Orders that Kopeck has confirmed. */
  readonly ordered: ReadonlySet<string>;
  /** Of those, what the bank's customer has paid. */
  readonly paid: ReadonlySet<string>;
  /** Refreshes of configs that were reported done. */
  readonly refreshed: number;
}

const PRICE = '10';
const TRIES = 5;
const PAUSE_MS = 100;

/** A shop that orders codes by SBP whose buyers pay, and an operator who refreshes configs, until told to stop. */
export async function runShop(rig: Rig, signal: AbortSignal): Promise<Shop> {
  const ordered = new Set<string>();
  const paid = new Set<string>();
  let refreshed = 0;

  async function sell(orderId: string): Promise<void> {
    const answer = await insist(() => orderSbp(rig, orderId, PRICE));
    if (answer === null) return;
    ordered.add(orderId);
    const payment = await payQr(rig, String(answer.body['qrcId']), Number(PRICE)).catch(() => null);
    if (payment?.status === 200) paid.add(orderId);
  }

  async function refresh(): Promise<void> {
    if ((await insist(() => refreshConfigs(rig, '1'))) !== null) refreshed += 1;
  }

  async function repeat(work: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !signal.aborted; turn += 1) {
      await work(turn);
      await delay(PAUSE_MS);
    }
  }
  await Promise.all([repeat((turn) => sell(`chaos-${turn}`)), repeat(refresh)]);
  return { ordered, paid, refreshed };
}

/** A few times with the same order: an order whose answer was lost is asked for again, not made anew. */
async function insist(ask: () => Promise<Answer>): Promise<Answer | null> {
  for (let turn = 0; turn < TRIES; turn += 1) {
    const answer = await ask().catch(() => null);
    if (answer?.status === 200) return answer;
    await delay(PAUSE_MS * 2);
  }
  return null;
}
