import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { fromDecimal, toDecimal } from './decimal.ts';
import { findOrphans, readRows } from './rows.ts';
import { wrongState } from './state.ts';
import { balanceKey, createVerifier, wrongEnd } from './verify.ts';
import type { Head, Problem, Verifier } from './verify.ts';

export interface AuditReport {
  /** Up to here everything was right. */
  readonly head: Head;
  readonly accounts: number;
  /** Null: the books are what they were when they were booked. */
  readonly problem: Problem | null;
}

/** Reads all of the books in one snapshot and stops at the first thing that is wrong. */
export async function audit(pool: Pool, anchors: readonly Head[] = []): Promise<AuditReport> {
  return inSnapshot(pool, async (tx) => {
    const verifier = createVerifier({ emptiedUpTo: await emptiedUpTo(tx), anchors });
    const problem =
      (await wrongRows(tx, verifier)) ??
      (await wrongHead(tx, verifier.head(), anchors)) ??
      (await wrongOrphan(tx)) ??
      (await wrongBalances(tx, verifier.balances())) ??
      (await wrongState(tx));
    return { head: verifier.head(), accounts: verifier.balances().size, problem };
  });
}

/** One moment of the books, whatever is booked meanwhile. */
export async function inSnapshot<T>(
  pool: Pool,
  work: (tx: PoolConnection) => Promise<T>,
): Promise<T> {
  const tx = await pool.getConnection();
  try {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await tx.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    return await work(tx);
  } finally {
    await tx.rollback();
    tx.release();
  }
}

/** The last row whose evidence retention has emptied; 0 where it never ran. */
export async function emptiedUpTo(tx: PoolConnection): Promise<bigint> {
  const [[row]] = await tx.query<RowDataPacket[]>(
    'SELECT MAX(upto_seq) AS seq FROM retention_runs',
  );
  return BigInt(String(row?.['seq'] ?? 0));
}

async function wrongRows(tx: PoolConnection, verifier: Verifier): Promise<Problem | null> {
  for await (const row of readRows(tx)) {
    const problem = verifier.row(row);
    if (problem !== null) return problem;
  }
  return null;
}

async function wrongHead(
  tx: PoolConnection,
  head: Head,
  anchors: readonly Head[],
): Promise<Problem | null> {
  const [rows] = await tx.query<RowDataPacket[]>('SELECT id, seq, hash FROM chain_head');
  const stored = rows.map((row) => `${row['id']} ${row['seq']} ${row['hash']}`);
  return wrongEnd(head, stored, anchors);
}

async function wrongOrphan(tx: PoolConnection): Promise<Problem | null> {
  const [place] = await findOrphans(tx);
  return place === undefined ? null : { invariant: 'chain', place, what: 'belongs to no event' };
}

async function wrongBalances(
  tx: PoolConnection,
  sums: ReadonlyMap<string, bigint>,
): Promise<Problem | null> {
  const left = new Map(sums);
  const [rows] = await tx.query<RowDataPacket[]>(
    'SELECT account, asset, amount FROM balances ORDER BY account, asset',
  );
  for (const row of rows) {
    const key = balanceKey(String(row['account']), String(row['asset']));
    const sum = left.get(key);
    const amount = fromDecimal(String(row['amount']))?.value;
    left.delete(key);
    if (amount !== undefined && amount === sum) continue;
    const what = `${amount === undefined ? '?' : toDecimal(amount)}, and its postings add up to ${sum === undefined ? 'nothing' : toDecimal(sum)}`;
    return { invariant: 'balances', place: `balance of ${key}`, what };
  }
  const [missing] = [...left].flatMap(([key, sum]) => (sum === 0n ? [] : [key]));
  if (missing === undefined) return null;
  return { invariant: 'balances', place: `balance of ${missing}`, what: 'is missing' };
}
