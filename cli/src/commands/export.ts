import { parseArgs } from 'node:util';
import { openDatabase } from '@kopeck/runtime/database';
import { inSnapshot } from '../../../services/ledger/src/audit/audit.ts';
import { chainLine } from '../../../services/ledger/src/audit/export-chain.ts';
import { readRows } from '../../../services/ledger/src/audit/rows.ts';
import { journal } from '../../../services/ledger/src/report.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run --silent kopeck -- export --chain | --hledger

--hledger every entry as a transaction in the journal format of hledger
--chain   every row that the chain covers, one JSON object a line, for docs/verify-chain.py`;

export async function run(args: readonly string[], { value, say }: Context): Promise<number> {
  const { chain, hledger } = readArguments(args);
  if (chain === hledger) throw new Advice(USAGE);
  const pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    await inSnapshot(pool, async (tx) => {
      if (chain) for await (const row of readRows(tx)) say(chainLine(row));
      else for await (const text of journal(tx)) say(text);
    });
    return 0;
  } finally {
    await pool.end();
  }
}

function readArguments(args: readonly string[]): { chain: boolean; hledger: boolean } {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args: [...args], options: { chain: flag, hledger: flag } }).values;
  } catch {
    throw new Advice(USAGE);
  }
}
