import { parseArgs } from 'node:util';
import { openDatabase } from '@kopeck/runtime/database';
import { inSnapshot } from '../../../services/ledger/src/audit/audit.ts';
import { chainLine } from '../../../services/ledger/src/audit/export-chain.ts';
import { readRows } from '../../../services/ledger/src/audit/rows.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run --silent kopeck -- export --chain

--chain   every row that the chain covers, one JSON object a line, for docs/verify-chain.py`;

export async function run(args: readonly string[], { value, say }: Context): Promise<number> {
  if (!readArguments(args)) throw new Advice(USAGE);
  const pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    await inSnapshot(pool, async (tx) => {
      for await (const row of readRows(tx)) say(chainLine(row));
    });
    return 0;
  } finally {
    await pool.end();
  }
}

function readArguments(args: readonly string[]): boolean {
  try {
    return (
      parseArgs({ args: [...args], options: { chain: { type: 'boolean' } } }).values.chain === true
    );
  } catch {
    return false;
  }
}
