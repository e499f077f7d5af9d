import type { Network, OrderCreated } from '@kopeck/core/event';
import {
  cryptobotPayloadGrant,
  parsePlans,
  starsPayloadGrant,
  type Verdict,
} from '@kopeck/core/grants';
import type { Money } from '@kopeck/core/money';
import type { Judgement, Paid } from './payment-postings.ts';

type Order = OrderCreated & { readonly network: Network };

/** Whether the payment is what somebody agreed to, and what it gives. */
export function judge(paid: Paid, order: Order | null, namesOrder: boolean): Judgement {
  if (namesOrder) return judgeByOrder(paid, order);
  if (paid.source === 'sbp') return { grants: [], reason: 'order-unknown' };

  const verdict = paid.source === 'telegram' ? judgeStars(paid) : judgeInvoice(paid);
  return verdict.ok
    ? { grants: [verdict.grant], reason: null }
    : { grants: [], reason: verdict.reason };
}

function judgeStars({ data, inputs }: Paid): Verdict {
  const stars = data.paid?.asset === 'XTR' ? data.paid.amount : '';
  return starsPayloadGrant(data.reference, stars, inputs['ndnPerStar'] ?? '');
}

function judgeInvoice({ data, inputs }: Paid): Verdict {
  const plans = parsePlans(inputs['plans'] ?? '{}') ?? new Map();
  return cryptobotPayloadGrant(data.reference, data.price ?? data.paid, plans);
}

function judgeByOrder(paid: Paid, order: Order | null): Judgement {
  if (order === null || order.network !== paid.network)
    return { grants: [], reason: 'order-unknown' };
  const matches = [paid.data.paid, paid.data.price].some(
    (money) => money !== null && isSame(money, order.price),
  );
  return matches
    ? { grants: order.grants, reason: null }
    : { grants: [], reason: 'amount-differs' };
}

function isSame(a: Money, b: Money): boolean {
  return a.asset === b.asset && a.amount === b.amount;
}
