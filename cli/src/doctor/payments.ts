import type { Context } from '../commands/command.ts';
import { error, ok, warn, type Check, type Finding } from './check.ts';
import { figuresOf, sumOf, type Figure } from './figures.ts';

/** What was paid: is everything found, and explained, and told? */
export const PAYMENT_CHECKS: readonly Check[] = [
  { name: 'reconciliation', run: reconciliation },
  { name: 'unexplained', run: unexplained },
  { name: 'fulfilment', run: fulfilment },
];

const DEFAULT_MINUTES = 5;

async function reconciliation(context: Context): Promise<readonly Finding[]> {
  const { find } = context;
  const minutes = Number(find('RECONCILE_MINUTES') ?? DEFAULT_MINUTES);
  const accounts = { cryptobot: 'CRYPTOBOT_TOKEN', telegram: 'TELEGRAM_BOT_TOKEN' };
  const expected = Object.entries(accounts).filter(([, key]) => find(key) !== undefined);
  if (expected.length === 0 || minutes === 0) return [];
  const figures = await figuresOf(context, 'crypto');
  return expected.map(([source]) => readLately(source, figures, minutes, context.now()));
}

function readLately(
  source: string,
  figures: readonly Figure[],
  minutes: number,
  now: Date,
): Finding {
  const at = sumOf(figures, 'kopeck_reconciled_at_seconds', { source });
  const failures = sumOf(figures, 'kopeck_reconcile_failures_total', { source });
  const ageMinutes = Math.round((now.getTime() / 1_000 - at) / 60);
  const cure = 'Run `kopeck reconcile` and see what it says of that account.';
  if (at === 0) {
    return failures > 0
      ? error(`the list of ${source} could not be read since crypto started`, cure)
      : warn(`the list of ${source} has not been read since crypto started`, cure);
  }
  if (ageMinutes > 3 * minutes) {
    return error(`the list of ${source} was read ${ageMinutes} minutes ago`, cure);
  }
  return ok(`the list of ${source} was read less than ${3 * minutes} minutes ago`);
}

const DAY_SECONDS = 86_400;

async function unexplained(context: Context): Promise<readonly Finding[]> {
  const figures = await figuresOf(context, 'ledger');
  const count = sumOf(figures, 'kopeck_unexplained_payments');
  if (count === 0) return [ok('every payment is explained')];
  const ages = figures.filter(({ name }) => name === 'kopeck_unexplained_oldest_seconds');
  const days = Math.floor(Math.max(0, ...ages.map(({ value }) => value)) / DAY_SECONDS);
  const cure = 'Look at them with `kopeck review list`, and settle or dismiss each.';
  return [warn(`${count} payments wait in suspense, the oldest for ${days} days`, cure)];
}

async function fulfilment(context: Context): Promise<readonly Finding[]> {
  if (context.find('FULFILMENT_URL') === undefined) return [];
  const dead = sumOf(await figuresOf(context, 'courier'), 'kopeck_webhooks_dead');
  if (dead === 0) return [ok('no call to FULFILMENT_URL has failed for good')];
  const cure = 'See why your program refuses them, then run `kopeck replay`.';
  return [error(`${dead} calls to FULFILMENT_URL have failed for good`, cure)];
}
