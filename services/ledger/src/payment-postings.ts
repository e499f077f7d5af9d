import type { Grant } from '@kopeck/core/event';
import { amountOf, type Amount, type Money } from '@kopeck/core/money';
import { lines, sum, textLine, type Posting } from './posting.ts';
import type { StoredEvent } from './stored-event.ts';

export type Paid = StoredEvent<'payment.paid'>;

export interface Judgement {
  readonly grants: readonly Grant[];
  /** Null: the payment is explained. Else it waits in suspense, and this says why. */
  readonly reason: string | null;
}

/** The posting table of the design, lines of `paid`, `fee`, `swap` and `grant`. */
export function paidPostings(
  paid: Paid,
  money: Money,
  { grants, reason }: Judgement,
): readonly Posting[] {
  const { subject, network, data } = paid;
  const { fee, swap } = data;
  const account = accountsOf(paid);
  const gross = amountOf(money.amount);
  const table = [
    ...lines(
      subject,
      [account.provider, money.asset, gross],
      [account.counter(reason), money.asset, -gross],
    ),
  ];
  if (fee !== null) {
    const amount = amountOf(fee.amount);
    table.push(
      ...lines(subject, [account.provider, fee.asset, -amount], [account.fees, fee.asset, amount]),
    );
  }
  if (swap !== null) {
    const net = gross - (fee?.asset === money.asset ? amountOf(fee.amount) : 0n);
    const output = amountOf(swap.amount);
    table.push(
      ...lines(
        subject,
        [account.provider, money.asset, -net],
        [account.exchange, money.asset, net],
      ),
      ...lines(
        subject,
        [account.provider, swap.asset, output],
        [account.exchange, swap.asset, -output],
      ),
    );
  }
  if (network === 'main') table.push(...grants.flatMap((grant) => grantPostings(subject, grant)));
  return sum(table);
}

/** Money of a test network is booked to accounts of its own. */
function accountsOf({ network, source, data }: Paid) {
  const end = network === 'test' ? ':test' : '';
  const name = source === 'sbp' ? `sbp:${data.provider}` : data.provider;
  return {
    provider: `provider:${name}${end}`,
    fees: `fees:${name}${end}`,
    exchange: `exchange:${name}${end}`,
    counter: (reason: string | null) => `${reason === null ? 'sales' : 'suspense'}${end}`,
  };
}

function grantPostings(subject: string, grant: Grant): readonly Posting[] {
  if (grant.kind !== 'credit') return [];
  return lines(
    subject,
    textLine(`user:${grant.user}`, grant.asset, grant.amount),
    textLine(`issued:${grant.asset}`, grant.asset, `-${grant.amount}`),
  );
}

/** A part is given back out of what was sold; fees and grants stay until the whole is given back. */
export function partialRefund(
  paid: Paid,
  asset: string,
  refunded: Amount,
  { reason }: Judgement,
): readonly Posting[] {
  const account = accountsOf(paid);
  return lines(
    paid.subject,
    [account.provider, asset, -refunded],
    [account.counter(reason), asset, refunded],
  );
}
