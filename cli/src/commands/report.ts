import { parseArgs } from 'node:util';
import { openDatabase } from '@kopeck/runtime/database';
import { report, reportCsv, reportText } from '../../../services/ledger/src/report.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run --silent kopeck -- report day [YYYY-MM-DD] [--format text|csv|json]
       npm run --silent kopeck -- report month [YYYY-MM] [--format text|csv|json]

What reached the books in that time (UTC), per source and asset; money of test networks in rows of its
own. Without a date: today, this month.`;

export async function run(args: readonly string[], { value, say, now }: Context): Promise<number> {
  const { from, to, format } = readArguments(args, now());
  const pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    const lines = await report(pool, from, to);
    const range = { from: from.toISOString(), to: to.toISOString() };
    if (format === 'json') say(JSON.stringify({ ...range, lines }, null, 2));
    else
      say(
        format === 'csv' ? reportCsv(lines) : `${range.from} .. ${range.to}\n${reportText(lines)}`,
      );
    return 0;
  } finally {
    await pool.end();
  }
}

const LENGTH: Readonly<Record<string, number>> = { day: 10, month: 7 };

function readArguments(args: readonly string[], now: Date) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { format: { type: 'string', default: 'text' } },
    });
    const [unit = '', given] = positionals;
    const length = LENGTH[unit] ?? 0;
    const text = given ?? now.toISOString().slice(0, length);
    const from = new Date(`${text}${unit === 'month' ? '-01' : ''}T00:00:00.000Z`);
    const isRight = from.toISOString().startsWith(text) && text.length === length;
    if (!isRight || !['text', 'csv', 'json'].includes(values.format)) throw new Advice(USAGE);
    const to = new Date(from);
    if (unit === 'day') to.setUTCDate(to.getUTCDate() + 1);
    else to.setUTCMonth(to.getUTCMonth() + 1);
    return { from, to, format: values.format };
  } catch {
    throw new Advice(USAGE);
  }
}
