import { openDatabase } from '@kopeck/runtime/database';
import { explainEvent, findEvents } from '../../../services/ledger/src/explain.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run --silent kopeck -- explain EVENT-ID | ORDER | CHARGE-ID | INVOICE-ID | ACTION-ID | purchase:ID

All that the books know of it, as JSON: what came, the verdict, the postings, the chain, who was told.`;

export async function run(args: readonly string[], { value, say }: Context): Promise<number> {
  const [wanted, ...more] = args;
  if (wanted === undefined || more.length > 0) throw new Advice(USAGE);
  const pool = openDatabase(value('DATABASE_URL'), { connections: 4 });
  try {
    const ids = await findEvents(pool, wanted);
    if (ids.length === 0) {
      say(`The books know nothing of ${wanted}.`);
      return 1;
    }
    const answers = await Promise.all(ids.map((id) => explainEvent(pool, id)));
    say(JSON.stringify(answers, null, 2));
    return 0;
  } finally {
    await pool.end();
  }
}
