import { parseArgs } from 'node:util';
import { openDatabase } from '@kopeck/runtime/database';
import { inSnapshot } from '../../../services/ledger/src/audit/audit.ts';
import { chainLine } from '../../../services/ledger/src/audit/export-chain.ts';
import { readRows } from '../../../services/ledger/src/audit/rows.ts';
import { journal, type JournalName } from '../../../services/ledger/src/journal.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run --silent kopeck -- export --chain | --hledger | --beancount

--hledger    every entry as a transaction in the journal format of hledger
--beancount  the same as beancount reads it
--chain      every row that the chain covers, one JSON object a line, for docs/verify-chain.py`;

export async function run(args: readonly string[], { value, say }: Context): Promise<number> {
  const what = readArguments(args);
  const pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    await inSnapshot(pool, async (tx) => {
      if (what === 'chain') for await (const row of readRows(tx)) say(chainLine(row));
      else for await (const text of journal(tx, what)) say(text);
    });
    return 0;
  } finally {
    await pool.end();
  }
}

function readArguments(args: readonly string[]): 'chain' | JournalName {
  const flag = { type: 'boolean', default: false } as const;
  const options = { chain: flag, hledger: flag, beancount: flag };
  try {
    const { values } = parseArgs({ args: [...args], options });
    const [what, ...more] = (['chain', 'hledger', 'beancount'] as const).filter(
      (name) => values[name],
    );
    if (what !== undefined && more.length === 0) return what;
  } catch {
    // An unknown option gets the same answer.
  }
  throw new Advice(USAGE);
}
