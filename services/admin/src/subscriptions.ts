import Joi from 'joi';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';
import type { Log } from '@kopeck/runtime/log';
import type { Closing } from '@kopeck/runtime/shutdown';
import type { Background } from './background.ts';
import { json, SERVER_ID } from './panels/open-panels.ts';
import type { PanelRef } from './panels/port.ts';
import { insertPurchase } from './purchases-api/store.ts';

/** By plan: where a buyer of it lives. `{user}` in an id stands for the buyer. */
export type PlanServers = Readonly<Record<string, readonly PanelRef[]>>;

const template = Joi.string()
  .max(200)
  .pattern(/\{user\}/);
const planServers = Joi.array()
  .items(
    Joi.object({
      serverId: Joi.string().pattern(SERVER_ID).required(),
      externalId: template.required(),
      subscriptionId: template,
    }),
  )
  .min(1)
  .max(32)
  .unique('serverId');

export const planServersKey = json
  .json()
  .pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, planServers)
  .prefs({ stripUnknown: false })
  .default({})
  .messages({
    '*': 'JSON, by plan: a list of objects with serverId and externalId: see docs/api/admin.md',
  });

export interface SubscriptionsOptions {
  readonly pool: Pool;
  readonly plans: PlanServers;
  readonly background: Background;
  readonly log: Log;
  readonly now: () => Date;
  readonly closing: Closing;
  readonly everyMs: number;
}

/**
 * Makes a purchase of every subscription that was paid of a plan that is known here, and lets it run
 * as long as the ledger says. The ledger's table is read and never written; since what is read is what
 * is valid now, a look that was missed is made up for by the next one.
 */
export function followSubscriptions(options: SubscriptionsOptions): void {
  const { plans, log, closing, everyMs } = options;
  if (Object.keys(plans).length === 0) return;
  let looking: Promise<void> | null = null;
  const look = (): void => {
    looking ??= followOnce(options)
      .catch((error: unknown) => log.warn('subscriptions could not be looked at', { error }))
      .finally(() => (looking = null));
  };
  const following = setInterval(look, everyMs);
  closing.add('subscriptions', async () => {
    clearInterval(following);
    await looking;
  });
}

interface Subscription {
  readonly user: string;
  readonly plan: string;
  /** Null: all that was paid was given back. */
  readonly until: Date | null;
  readonly purchaseId: string | null;
}

async function followOnce({ pool, plans, background, log, now }: SubscriptionsOptions) {
  for (const subscription of await unlike(pool, Object.keys(plans), now())) {
    const { user, plan, until } = subscription;
    const refs = (plans[plan] ?? []).map((ref) => refOf(ref, user));
    const id = subscription.purchaseId ?? (await make(pool, subscription, refs));
    if (id === null) continue; // another copy has made it
    await pool.query('UPDATE purchases SET expires_at = ?, is_active = ? WHERE id = ?', [
      until,
      until !== null,
      id,
    ]);
    log.info('a purchase follows its subscription', { purchaseId: id, plan, until });
    if (until !== null) background.refresh(id);
  }
}

const AT_ONCE = 500;

/** The subscriptions that have no purchase yet, or one that ends at another time. */
async function unlike(
  pool: Pool,
  plans: readonly string[],
  now: Date,
): Promise<readonly Subscription[]> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT s.user, s.plan, s.active_until, p.id
       FROM subscriptions s LEFT JOIN purchases p ON p.user_id = s.user AND p.plan = s.plan
      WHERE s.plan IN (?)
        AND IF(p.id IS NULL, s.active_until > ?, NOT (p.expires_at <=> s.active_until))
      LIMIT ?`,
    [plans, now, AT_ONCE],
  );
  return rows.map((row) => ({
    user: String(row['user']),
    plan: String(row['plan']),
    until: row['active_until'] as Date | null,
    purchaseId: row['id'] === null ? null : String(row['id']),
  }));
}

function make(pool: Pool, { user, plan, until }: Subscription, servers: readonly PanelRef[]) {
  const purchase = { user, plan, isActive: true, expiresAt: until, servers };
  return inTransaction(pool, (tx) => insertPurchase(tx, purchase));
}

function refOf({ serverId, externalId, subscriptionId }: PanelRef, user: string): PanelRef {
  const filled = (text: string): string => text.replaceAll('{user}', user);
  return {
    serverId,
    externalId: filled(externalId),
    ...(subscriptionId !== undefined && { subscriptionId: filled(subscriptionId) }),
  };
}
