import { parseArgs } from 'node:util';
import { openDatabase } from '@kopeck/runtime/database';
import { emptyEvidence } from '../../../services/ledger/src/retention.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- retention --days N

Empties the raw evidence (personal data) of what was booked more than N days ago. The books, the data
and the chain stay, and the audit knows. Uses KOPECK_DATABASE_ROOT_URL: no service may do it.`;

const DAY_MS = 86_400_000;

export async function run(args: readonly string[], context: Context): Promise<number> {
  const days = readDays(args);
  const url = context.find('KOPECK_DATABASE_ROOT_URL') ?? context.value('DATABASE_URL');
  const pool = openDatabase(url, { connections: 1 });
  try {
    const now = context.now();
    const before = new Date(now.getTime() - days * DAY_MS);
    const { emptied, uptoSeq } = await emptyEvidence(pool, before, now);
    context.say(`Emptied the evidence of ${emptied} events, up to seq ${uptoSeq}.`);
    return 0;
  } finally {
    await pool.end();
  }
}

function readDays(args: readonly string[]): number {
  try {
    const { values } = parseArgs({ args: [...args], options: { days: { type: 'string' } } });
    if (/^\d{1,5}$/.test(values.days ?? '')) return Number(values.days);
  } catch {
    // An unknown option gets the same answer.
  }
  throw new Advice(USAGE);
}
