import type { Pool, RowDataPacket } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import type { Context } from '../commands/command.ts';
import { error, ok, warn, type Check, type Finding } from './check.ts';
import { figuresOf, sumOf, type Figure } from './figures.ts';

interface Partner {
  readonly source: string;
  readonly service: string;
  /** Without this key nothing of it is expected. */
  readonly key: string;
  /** Its path is its own: what is refused there was meant for it. EPN's is every unknown one. */
  readonly isNamed: boolean;
  readonly cure: string;
}

const PARTNERS: readonly Partner[] = [
  {
    source: 'cryptobot',
    service: 'crypto',
    key: 'CRYPTOBOT_TOKEN',
    isNamed: true,
    cure: 'In @CryptoBot, Crypto Pay, My Apps: enable Webhooks with the URL …/webhook/cryptobot.',
  },
  {
    source: 'telegram',
    service: 'crypto',
    key: 'TELEGRAM_BOT_TOKEN',
    isNamed: true,
    cure: 'Run `kopeck telegram setup`, then write something to the bot.',
  },
  {
    source: 'epn',
    service: 'epn',
    key: 'EPN_SECRET_TOKEN',
    isNamed: false,
    cure: 'Put the URL that `kopeck epn url` prints into the cabinet of EPN.',
  },
  {
    source: 'sbp',
    service: 'sbp',
    key: 'SBP_PROVIDER',
    isNamed: true,
    cure: 'Put …/webhook/sbp/<provider> into the cabinet of the provider; until then states are read, only later.',
  },
];

/** Whether each partner that is configured has ever called, and is believed. */
export const DELIVERY_CHECKS: readonly Check[] = PARTNERS.map((partner) => ({
  name: `${partner.source}-calls`,
  run: (context) => deliveries(partner, context),
}));

const BELIEVED = ['accepted', 'duplicate', 'ignored', 'question', 'quarantined'] as const;

async function deliveries(partner: Partner, context: Context): Promise<readonly Finding[]> {
  const { source, service, key } = partner;
  if (context.find(key) === undefined) return [];
  const figures = await figuresOf(context, service);
  const count = (outcome?: string): number =>
    sumOf(figures, 'kopeck_deliveries_total', { source, ...(outcome && { outcome }) });
  const believed = BELIEVED.reduce((sum, outcome) => sum + count(outcome), 0);
  if (believed > 0) return [ok(`${believed} calls of ${source} since ${service} started`)];
  const refused = count();
  if (refused > 0 && partner.isNamed) {
    const what = `${refused} calls in the name of ${source} were refused and none was believed`;
    return [error(what, `See that the secret or token is the one that ${source} uses.`)];
  }
  return [await neverCalled(partner, figures, context)];
}

/** Since the service started, that is: the books remember longer. */
async function neverCalled(
  { source, service, cure }: Partner,
  figures: readonly Figure[],
  context: Context,
): Promise<Finding> {
  const found = sumOf(figures, 'kopeck_payments_without_webhook_total', { source });
  if (found > 0) {
    return error(
      `${found} payments of ${source} were found in its list, and it never called`,
      cure,
    );
  }
  const last = await lastBooked(source, context);
  if (last === null) return warn(`${source} has never called`, cure);
  const when = last.toISOString();
  return warn(
    `${source} has not called since ${service} started; its last event is of ${when}`,
    cure,
  );
}

async function lastBooked(source: string, { value }: Context): Promise<Date | null> {
  const pool: Pool = openDatabase(value('DATABASE_URL'), { connections: 1 });
  try {
    const [[row]] = await pool.query<RowDataPacket[]>(
      "SELECT MAX(received_at) AS last FROM inbox WHERE source = ? AND type <> 'order.created'",
      [source],
    );
    return (row?.['last'] as Date | null | undefined) ?? null;
  } finally {
    await pool.end();
  }
}
