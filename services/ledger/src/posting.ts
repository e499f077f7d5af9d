import { amountOf, formatAmount, type Amount } from '@kopeck/core/money';

/** One line of an entry. What a provider owes us and what a user holds read positive. */
export interface Posting {
  /** Whose books the line belongs to: the difference is taken per subject. */
  readonly subject: string;
  readonly account: string;
  readonly asset: string;
  readonly amount: Amount;
}

/** Lines of one subject, keyed by account and asset. */
export type Books = ReadonlyMap<string, Posting>;

export const NO_BOOKS: Books = new Map();

/** Adds lines up by subject, account and asset; what comes to zero is left out. */
export function sum(postings: Iterable<Posting>): readonly Posting[] {
  const total = new Map<string, Posting>();
  for (const posting of postings) {
    const { subject, account, asset, amount } = posting;
    // The length tells where the account ends, whatever is in it.
    const key = `${asset} ${account.length} ${account}${subject}`;
    const before = total.get(key)?.amount ?? 0n;
    total.set(key, { subject, account, asset, amount: before + amount });
  }
  return [...total.values()].filter(({ amount }) => amount !== 0n).sort(byPlace);
}

export function negate(postings: readonly Posting[]): readonly Posting[] {
  return postings.map((posting) => ({ ...posting, amount: -posting.amount }));
}

/** What must be booked now so that a subject's books become the target. */
export function difference(
  target: readonly Posting[],
  booked: readonly Posting[],
): readonly Posting[] {
  return sum([...target, ...negate(booked)]);
}

/** The text that the hash chain covers, of what the database gives back (it keeps no half surrogates). */
export function postingsText(postings: readonly Posting[]): string {
  return JSON.stringify(
    postings.map(({ subject, account, asset, amount }) => [
      subject.toWellFormed(),
      account.toWellFormed(),
      asset,
      formatAmount(amount),
    ]),
  );
}

/** Assets whose lines do not add up to zero: always empty, or there is a mistake in the rules. */
export function unbalanced(postings: readonly Posting[]): readonly string[] {
  const totals = new Map<string, Amount>();
  for (const { asset, amount } of postings) totals.set(asset, (totals.get(asset) ?? 0n) + amount);
  return [...totals].filter(([, total]) => total !== 0n).map(([asset]) => asset);
}

type Line = readonly [account: string, asset: string, amount: Amount];

/** Lines for one subject, in the short form of the posting table. */
export function lines(subject: string, ...table: readonly Line[]): readonly Posting[] {
  return table.map(([account, asset, amount]) => ({ subject, account, asset, amount }));
}

export function textLine(account: string, asset: string, amount: string): Line {
  return [account, asset, amountOf(amount)];
}

/** By code units, so that everybody who verifies the chain sorts alike. */
function byPlace(a: Posting, b: Posting): number {
  return (
    compare(a.subject, b.subject) || compare(a.asset, b.asset) || compare(a.account, b.account)
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
