import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { fromDecimal } from './audit/decimal.ts';
import { beancount } from './journal-beancount.ts';
import { hledger } from './journal-hledger.ts';

export interface Line {
  readonly account: string;
  readonly asset: string;
  /** Canonical. */
  readonly amount: string;
}

export interface Transaction {
  /** UTC, by when the event reached us: 2026-10-05. */
  readonly day: string;
  readonly seq: string;
  readonly eventId: string;
  readonly lines: readonly Line[];
}

/** How another program wants the books to be written. */
export interface JournalFormat {
  /** Before everything else; the accounts are all that there are. */
  readonly head: (accounts: readonly string[]) => string;
  readonly transaction: (transaction: Transaction) => string;
}

export const JOURNAL_FORMATS = { hledger, beancount } as const satisfies Record<
  string,
  JournalFormat
>;
export type JournalName = keyof typeof JOURNAL_FORMATS;

/** One transaction an entry, oldest first. In pages: memory does not grow with the books. */
export async function* journal(tx: PoolConnection, name: JournalName): AsyncGenerator<string> {
  const format: JournalFormat = JOURNAL_FORMATS[name];
  const [accounts] = await tx.query<RowDataPacket[]>(
    'SELECT DISTINCT account FROM balances ORDER BY account',
  );
  yield format.head(accounts.map((row) => String(row['account'])));
  let last = '0';
  for (;;) {
    const [rows] = await tx.query<RowDataPacket[]>(
      `SELECT p.seq, p.account, p.asset, p.amount, i.event_id,
          DATE_FORMAT(i.received_at, '%Y-%m-%d') AS day
        FROM (SELECT seq FROM entries WHERE seq > ? ORDER BY seq LIMIT 1000) e
        JOIN postings p ON p.seq = e.seq JOIN inbox i ON i.seq = e.seq ORDER BY p.seq, p.line`,
      [last],
    );
    if (rows.length === 0) return;
    for (const lines of Map.groupBy(rows, (row) => String(row['seq'])).values())
      yield format.transaction(transactionOf(lines));
    last = String(rows.at(-1)?.['seq']);
  }
}

function transactionOf(rows: readonly RowDataPacket[]): Transaction {
  const [first] = rows;
  return {
    day: String(first?.['day']),
    seq: String(first?.['seq']),
    eventId: String(first?.['event_id']),
    lines: rows.map((row) => ({
      account: String(row['account']),
      asset: String(row['asset']),
      amount: fromDecimal(String(row['amount']))?.text ?? '0',
    })),
  };
}
