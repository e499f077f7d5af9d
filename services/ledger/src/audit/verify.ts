import { GENESIS, nextHash, type Link } from '../chain.ts';
import { fromDecimal } from './decimal.ts';

/** The numbered invariants of docs/architecture.md. */
export const INVARIANTS = {
  sums: 1,
  balances: 2,
  outcome: 3,
  gap: 4,
  once: 5,
  chain: 6,
  evidence: 7,
  state: 8,
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** The first thing that is wrong. Quotes ids and accounts, never what a partner sent. */
export interface Problem {
  readonly invariant: Invariant;
  /** 'seq 17', 'balance of sales in RUB': where to look. */
  readonly place: string;
  readonly what: string;
}

export interface AuditPosting {
  readonly line: number;
  readonly subject: string;
  readonly account: string;
  readonly asset: string;
  readonly amount: string;
}

/** One row of the inbox, and all that hangs on it. Texts as the database gives them. */
export interface AuditRow {
  readonly link: Omit<Link, 'postings'>;
  readonly hash: string;
  readonly bookedAt: string;
  readonly entry: { readonly eventId: string; readonly bookedAt: string } | null;
  readonly postings: readonly AuditPosting[];
  /** SHA-256 of the evidence that is kept; null where none is; 'unreadable'. */
  readonly evidenceHash: string | null;
}

export interface Head {
  readonly seq: bigint;
  readonly hash: string;
}

export interface Verifier {
  /** Takes the rows in the order of seq; returns the first problem of this one. */
  readonly row: (row: AuditRow) => Problem | null;
  readonly head: () => Head;
  /** The sums of all postings, by account and asset. */
  readonly balances: () => ReadonlyMap<string, bigint>;
}

export interface VerifierOptions {
  /** Retention has emptied the evidence up to this row. */
  readonly emptiedUpTo: bigint;
  /** Heads that were mailed or printed before: the books must have passed through each. */
  readonly anchors: readonly Head[];
}

/** Pure: knows no SQL, and remembers of the past its head, its sums and the ids that were used. */
export function createVerifier({ emptiedUpTo, anchors }: VerifierOptions): Verifier {
  let head: Head = { seq: 0n, hash: GENESIS };
  const ids = new Set<string>();
  const balances = new Map<string, bigint>();
  const anchored = new Map(anchors.map(({ seq, hash }) => [seq, hash]));

  return {
    head: () => head,
    balances: () => balances,
    row(row) {
      const { link, hash, postings } = row;
      const wrong = wrongPlace(link) ?? wrongRow(row, head) ?? wrongAnchor(row, anchored);
      const found = wrong ?? wrongEvidence(row, emptiedUpTo);
      if (found !== null) return { invariant: found[0], place: `seq ${link.seq}`, what: found[1] };

      ids.add(link.id);
      head = { seq: link.seq, hash };
      for (const { account, asset, amount } of postings) {
        const key = balanceKey(account, asset);
        balances.set(key, (balances.get(key) ?? 0n) + (fromDecimal(amount)?.value ?? 0n));
      }
      return null;
    },
  };

  function wrongPlace({ seq, id }: AuditRow['link']): Wrong | null {
    const expected = head.seq + 1n;
    if (seq !== expected) return ['gap', `expected ${expected}: rows are missing or inserted`];
    return ids.has(id) ? ['once', `event ${id} is booked a second time`] : null;
  }
}

function wrongRow(row: AuditRow, head: Head): Wrong | null {
  const wrong = wrongEntry(row) ?? wrongOutcome(row) ?? wrongSums(row);
  if (wrong !== null) return wrong;
  const hash = nextHash(head.hash, { ...row.link, postings: JSON.stringify(postingsOf(row)) });
  if (hash === row.hash) return null;
  return ['chain', 'the row, its postings or its hash differ from what was booked'];
}

function wrongAnchor({ link, hash }: AuditRow, anchors: ReadonlyMap<bigint, string>): Wrong | null {
  const anchor = anchors.get(link.seq);
  if (anchor === undefined || anchor === hash) return null;
  return ['chain', 'the books had another head here: the chain was made anew'];
}

/**
 * Whether the rows end where they did: at the head that is stored, one row written `1 SEQ HASH`, and not before
 * any that was printed.
 */
export function wrongEnd(
  head: Head,
  stored: readonly string[],
  anchors: readonly Head[],
): Problem | null {
  const place = `seq ${head.seq}`;
  const isStored = stored.join() === `1 ${head.seq} ${head.hash}`;
  const beyond = anchors.find(({ seq }) => seq > head.seq);
  if (isStored && beyond === undefined) return null;
  const what = isStored
    ? `the books once reached seq ${beyond?.seq}: cut off`
    : 'the head of the chain is another: rows are cut off';
  return { invariant: 'chain', place, what };
}

export function balanceKey(account: string, asset: string): string {
  return `${asset} ${account}`;
}

type Wrong = readonly [Invariant, string];

function wrongEntry({ link, entry, postings, bookedAt }: AuditRow): Wrong | null {
  if (postings.length > 0 && entry === null) return ['chain', 'postings without an entry'];
  if (postings.length === 0 && entry !== null) return ['chain', 'an entry without postings'];
  if (entry !== null && entry.eventId !== link.id) return ['once', 'the entry names another event'];
  if (entry !== null && entry.bookedAt !== bookedAt)
    return ['chain', 'the entry and the event were booked at different times'];
  const isOrdered = postings.every(({ line }, index) => line === index);
  return isOrdered ? null : ['chain', 'the lines of the entry are not numbered from 0'];
}

/** Whether an outcome goes with an entry; a review may have one, in suspense. */
const HAS_ENTRY: Readonly<Record<string, boolean | null>> = {
  booked: true,
  noted: false,
  review: null,
  quarantined: false,
};

function wrongOutcome({ link: { outcome, reason }, entry }: AuditRow): Wrong | null {
  const expected = HAS_ENTRY[outcome];
  if (expected === undefined) return ['outcome', 'an outcome that does not exist'];
  if (expected !== null && expected !== (entry !== null))
    return ['outcome', `${outcome} ${expected ? 'without' : 'with'} an entry`];
  return reason === '' ? ['outcome', 'an empty reason'] : null;
}

function wrongSums({ postings }: AuditRow): Wrong | null {
  const sums = new Map<string, bigint>();
  for (const { asset, amount } of postings) {
    const parsed = fromDecimal(amount);
    if (parsed === null) return ['sums', 'an amount that is no decimal'];
    sums.set(asset, (sums.get(asset) ?? 0n) + parsed.value);
  }
  const uneven = [...sums].filter(([, sum]) => sum !== 0n).map(([asset]) => asset);
  return uneven.length === 0 ? null : ['sums', `${uneven.join(', ')} do not add up to zero`];
}

/** As the chain has them: amounts without trailing zeros. */
export function postingsOf({ postings }: Pick<AuditRow, 'postings'>): readonly string[][] {
  return postings.map(({ subject, account, asset, amount }) => [
    subject,
    account,
    asset,
    fromDecimal(amount)?.text ?? amount,
  ]);
}

/** SHA-256 of nothing: the event came without evidence. */
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function wrongEvidence({ link, evidenceHash }: AuditRow, emptiedUpTo: bigint): Wrong | null {
  if (evidenceHash === link.evidenceHash) return null;
  if (evidenceHash !== null) return ['evidence', 'the evidence is not what came'];
  if (link.evidenceHash === NOTHING || link.seq <= emptiedUpTo) return null;
  return ['evidence', 'the evidence is gone, and no retention has emptied it'];
}
