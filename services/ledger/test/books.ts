import type { Pool, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { canonicalAmount } from '@kopeck/core/money';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { createTestDatabase } from '@kopeck/testing/test-database';
import { bookOrBisect, type BookDeps } from '../src/book.ts';
import type { Verdict } from '../src/decide.ts';
import { inputsFor } from '../src/inputs.ts';

export const RATES = {
  NDN_PER_STAR: '10',
  PLANS: '{"pro-30":{"asset":"USDT","amount":"4.5","days":30}}',
  EPN_CASHBACK_PERCENT: '0',
};

/** A migrated ledger of its own in the run's MariaDB, with eyes for tests. */
export interface Books {
  readonly pool: Pool;
  readonly url: string;
  readonly book: (...events: readonly KopeckEvent[]) => Promise<readonly Verdict[]>;
  readonly outcomes: (...events: readonly KopeckEvent[]) => Promise<readonly string[]>;
  /** 'account amount asset', sorted; what is zero is left out. */
  readonly balances: () => Promise<readonly string[]>;
  readonly query: (sql: string) => Promise<readonly RowDataPacket[]>;
  readonly close: () => Promise<void>;
}

export async function openBooks(
  rootUrl: string,
  rates: Partial<typeof RATES> = {},
): Promise<Books> {
  const database = await createTestDatabase(rootUrl);
  await migrate(database.url);
  const pool = openDatabase(database.url);
  const config = { ...RATES, ...rates };
  const deps: BookDeps = {
    pool,
    inputsFor: (event) => inputsFor(config, event),
    now: () => new Date(),
  };

  const query = async (sql: string): Promise<readonly RowDataPacket[]> =>
    (await pool.query<RowDataPacket[]>(sql))[0];
  const book = (...events: readonly KopeckEvent[]): Promise<readonly Verdict[]> =>
    bookOrBisect(deps, events);
  return {
    pool,
    url: database.url,
    book,
    outcomes: async (...events) =>
      (await book(...events)).map((verdict) =>
        verdict.kind === 'new' ? verdict.outcome : verdict.kind,
      ),
    balances: async () =>
      (
        await query(
          'SELECT account, asset, amount FROM balances WHERE amount <> 0 ORDER BY account, asset',
        )
      ).map((row) => `${row['account']} ${canonicalAmount(String(row['amount']))} ${row['asset']}`),
    query,
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}
