import type * as core from '@kopeck/core/event';
import type { Money } from '@kopeck/core/money';

// What the books must come to, from the posting table alone, with none of the ledger's code: no batches, no
// differences, no database. Amounts are whole thousandths.
type All = readonly core.KopeckEvent[];
type Groups = Map<string, All>;
type Move = (amount: number, asset: string, debit: string, credit: string) => void;

/** 'account amount asset', sorted, of the events in the order in which they came. */
export function modelBalances(arrived: All, cashback: number): readonly string[] {
  const books = new Map<string, number>();
  const add = (key: string, amount: number) => books.set(key, (books.get(key) ?? 0) + amount);
  const move: Move = (amount, asset, debit, credit) => {
    add(`${debit}|${asset}`, amount);
    add(`${credit}|${asset}`, -amount);
  };
  const groups = Map.groupBy(distinct(arrived), ({ subject }) => subject);
  for (const group of groups.values()) {
    group.sort((a, b) => (a.time + a.id < b.time + b.id ? -1 : 1));
    if (group.some(({ type }) => type.startsWith('payment.'))) payment(group, groups, move);
    else affiliate(group, cashback, move);
  }
  return [...books]
    .filter(([, amount]) => amount !== 0)
    .map(([key, amount]) => `${key.split('|')[0]} ${amount / 1_000} ${key.split('|')[1]}`)
    .toSorted();
}

/** The first of an id counts; one that told no amount gives way to the first that does. */
function distinct(arrived: All): core.KopeckEvent[] {
  const first = new Map<string, core.KopeckEvent>();
  for (const event of arrived) {
    const known = first.get(event.id);
    const isBlank = known?.type === 'payment.paid' && known.data.paid === null;
    if (known === undefined || isBlank) first.set(event.id, event);
  }
  return [...first.values()];
}

function payment(group: All, groups: Groups, move: Move): void {
  const paid = group.find((event) => event.type === 'payment.paid' && event.data.paid !== null);
  if (paid === undefined) return;
  const { paid: money, fee, swap, provider, reference } = paid.data as core.Payment;
  const back = group
    .filter(({ type }) => type === 'payment.refunded')
    .reduce((sum, { data }) => sum + mills((data as core.Refund).refunded), 0);
  if (money === null || back >= mills(money)) return;
  const end = paid.network === 'test' ? ':test' : '';
  const name = (paid.source === 'sbp' ? `sbp:${provider}` : provider) + end;
  const [reason, user, credit] = explained(paid, reference, groups);
  const isSettled = group.some((e) => e.type === 'review.settled' && e.data.reason === reason);
  const counter = (reason === '' || isSettled ? 'sales' : 'suspense') + end;
  move(mills(money) - back, money.asset, `provider:${name}`, counter);
  move(mills(fee), money.asset, `fees:${name}`, `provider:${name}`);
  const net = Math.sign(mills(swap)) * (mills(money) - mills(fee));
  move(net, money.asset, `exchange:${name}`, `provider:${name}`);
  move(mills(swap), String(swap?.asset), `provider:${name}`, `exchange:${name}`);
  move(end === '' ? credit : 0, 'NDN', `user:${user}`, 'issued:NDN');
}

type Explained = readonly [reason: string, user: string, credit: number];
function explained(paid: core.KopeckEvent, reference: string | null, groups: Groups): Explained {
  const { paid: money } = paid.data as core.Payment;
  const source = paid.source === 'sbp' ? 'sbp' : 'crypto';
  if (reference === null)
    return [{ sbp: 'order-unknown', crypto: 'payload-missing' }[source], '', 0];
  if (reference.startsWith('{')) return ofPayload(JSON.parse(reference), money);
  const order = groups.get(`order:${source}:${reference}`)?.[0];
  if (order?.network !== paid.network) return ['order-unknown', '', 0];
  const { price, grants } = order.data as core.OrderCreated;
  if (JSON.stringify(price) !== JSON.stringify(money)) return ['amount-differs', '', 0];
  return ['', grants[0]?.user ?? '', mills(grants[0] as Money)];
}

function ofPayload(payload: Record<string, number>, money: Money | null): Explained {
  const { telegram_id: user, amount_ndn: ndn = 0 } = payload;
  return ndn * 100 === mills(money)
    ? ['', `${user}`, ndn * 1_000]
    : ['payload-amount-off-rate', '', 0];
}

const AFTER: Record<string, string> = { w: 'wpcr', p: 'pcr', c: 'cr', r: 'c' };
const word = ({ type }: core.KopeckEvent): string => type.replace('affiliate.', '').charAt(0);

function affiliate(group: All, cashback: number, move: Move): void {
  const actions = group.filter(({ type }) => type.startsWith('affiliate.'));
  if (actions.length === 0) return;
  const last = actions.reduce((a, b) => (AFTER[word(a)]?.includes(word(b)) === true ? b : a));
  const { commission, clickId, partner } = last.data as core.AffiliateAction;
  const of = partner.replace('epn_bz', 'epn');
  const { asset } = commission as Money;
  const amount = mills(commission);
  if (/^[wp]/.test(word(last))) move(amount, asset, `held:${of}`, `commission-held:${of}`);
  if (word(last) !== 'c') return;
  move(amount, asset, `provider:${of}`, `commission:${of}`);
  move(Math.floor((amount * cashback) / 1_000) * 10, asset, `user:${clickId}`, `cashback:${of}`);
}

const mills = (money: Money | null): number => Math.round(Number(money?.amount ?? 0) * 1_000);
