import { parseArgs } from 'node:util';
import { openDatabase } from '@kopeck/runtime/database';
import { audit } from '../../../services/ledger/src/audit/audit.ts';
import { INVARIANTS, type Head } from '../../../services/ledger/src/audit/verify.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- audit [--head SEQ:HASH]...

Reads all of the books and names the first thing that is wrong. --head holds them against a head
that was mailed or printed before.`;

export async function run(args: readonly string[], { value, say }: Context): Promise<number> {
  const anchors = readArguments(args);
  const pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    const { head, accounts, problem } = await audit(pool, anchors);
    if (problem === null) {
      say(`The books are whole: ${head.seq} events, ${accounts} balances.`);
      say(`head ${head.seq}:${head.hash}`);
      return 0;
    }
    const { invariant, place, what } = problem;
    say(`WRONG at ${place}: ${what} (invariant ${INVARIANTS[invariant]}, ${invariant}).`);
    say(`Right up to ${head.seq}:${head.hash}`);
    return 1;
  } finally {
    await pool.end();
  }
}

function readArguments(args: readonly string[]): readonly Head[] {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { head: { type: 'string', multiple: true } },
    });
    return (values.head ?? []).map(headOf);
  } catch (error) {
    throw new Advice(error instanceof Advice ? error.message : USAGE);
  }
}

export function headOf(text: string): Head {
  const match = /^(\d{1,19}):([0-9a-f]{64})$/.exec(text);
  if (match === null) throw new Advice('--head takes SEQ:HASH, as audit and the mails print it.');
  const [, seq = '0', hash = ''] = match;
  return { seq: BigInt(seq), hash };
}
