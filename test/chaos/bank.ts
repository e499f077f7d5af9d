import { formatAmount, amountOf } from '@kopeck/core/money';
import type { Rig } from '../rig/rig.ts';
import type { Shop } from './shop.ts';
import { contentOf, idOf, type Known, type Truth } from './truth.ts';

/** What the bank's own register says of a code. */
interface Code {
  readonly paymentId: string;
  readonly status: 'new' | 'paid' | 'cancelled' | 'expired';
  readonly refunds: readonly {
    readonly key: string;
    readonly status: 'pending' | 'succeeded' | 'declined';
    readonly amount: string;
  }[];
}

/**
 * What the bank has done, whether or not the shop has heard of it: it gives back what it has taken a
 * refund for, and a code that nobody has paid may be over.
 */
export async function bankTruth(rig: Rig, shop: Shop): Promise<Truth> {
  const response = await fetch(`${rig.sandboxUrl}/__sandbox/acquirer/qrs`);
  const codes = (await response.json()) as readonly Code[];
  const events = new Map<string, Known>();
  const accepted = new Set<string>();
  for (const { paymentId, status, refunds } of codes) {
    const identity = ['raiffeisen', paymentId];
    const order = orderOf(shop, idOf('sbp', 'payment.paid', identity));
    for (const { key, status: state, amount } of refunds) {
      const id = idOf('sbp', 'payment.refunded', [...identity, key]);
      const roubles = formatAmount(amountOf(amount));
      events.set(id, { id, content: contentOf(`${roubles} RUB`, order) });
      if (state !== 'declined' && order !== undefined) accepted.add(id);
    }
    const over = idOf('sbp', 'payment.expired', identity);
    if (status !== 'paid') events.set(over, { id: over, content: 'no money' });
  }
  return { events, accepted };
}

/** Of a payment that the shop has seen; its content ends with it. */
function orderOf({ events }: Shop, payment: string): string | undefined {
  return events.get(payment)?.content.split(' for ')[1];
}
