import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { Decision } from './decide.ts';
import type { Subscribed } from './notices.ts';
import { insert } from './sql.ts';
import {
  activeUntil,
  givenBy,
  givenOf,
  planText,
  type Given,
  type PlanOf,
} from './subscription.ts';

/** Folds every plan that a payment of the batch gives or has taken back; returns those that changed. */
export async function recordSubscriptions(
  tx: PoolConnection,
  decisions: readonly Decision[],
  at: Date,
  earlier: ReadonlySet<string>,
): Promise<readonly Subscribed[]> {
  const states = new Map(decisions.flatMap(({ payments }) => [...payments]));
  const given = [...states].flatMap(([subject, state]) => givenBy(subject, state));
  const before = [...states.keys()].filter((subject) => earlier.has(subject));
  const withdrawn = await withdrawnBy(tx, before, given);
  const changed = [...given, ...withdrawn];
  if (changed.length === 0) return [];

  await insert(
    tx,
    `INSERT INTO subscription_grants (subject, user, plan, days, paid_at) VALUES ?
      ON DUPLICATE KEY UPDATE days = VALUES(days), paid_at = VALUES(paid_at)`,
    changed.map(({ subject, user, plan, days, paidAt }) => [subject, user, plan, days, paidAt]),
  );
  const folded = await fold(tx, changed);
  await insert(
    tx,
    `INSERT INTO subscriptions (user, plan, active_until, updated_at) VALUES ?
      ON DUPLICATE KEY UPDATE active_until = VALUES(active_until), updated_at = VALUES(updated_at)`,
    folded.map(({ user, plan, until }) => [user, plan, until, at]),
  );
  return folded;
}

/** What these payments gave before and do not give any more. */
async function withdrawnBy(
  tx: PoolConnection,
  subjects: readonly string[],
  given: readonly Given[],
): Promise<readonly Given[]> {
  if (subjects.length === 0) return [];
  const [rows] = await tx.query<RowDataPacket[]>(
    'SELECT subject, user, plan, days, paid_at FROM subscription_grants WHERE subject IN (?)',
    [subjects],
  );
  const still = new Set(given.map((each) => `${planText(each)} ${each.subject}`));
  return rows
    .map(givenOf)
    .filter((each) => !still.has(`${planText(each)} ${each.subject}`))
    .map((each) => ({ ...each, days: 0 }));
}

async function fold(tx: PoolConnection, plans: readonly PlanOf[]): Promise<readonly Subscribed[]> {
  const keys = [
    ...new Map(plans.map((each) => [planText(each), [each.user, each.plan]] as const)).values(),
  ];
  const [rows] = await tx.query<RowDataPacket[]>(
    `SELECT subject, user, plan, days, paid_at FROM subscription_grants
      WHERE (user, plan) IN (?)`,
    [keys],
  );
  const [stored] = await tx.query<RowDataPacket[]>(
    'SELECT user, plan, active_until FROM subscriptions WHERE (user, plan) IN (?)',
    [keys],
  );
  const before = new Map(
    stored.map((row) => [
      planText({ user: String(row['user']), plan: String(row['plan']) }),
      row['active_until'] as Date | null,
    ]),
  );
  const payments = Map.groupBy(rows.map(givenOf), planText);
  return [...payments]
    .flatMap(([key, all]) =>
      all.slice(0, 1).map(({ user, plan }) => ({
        user,
        plan,
        until: activeUntil(all),
        before: before.get(key) ?? null,
      })),
    )
    .filter(({ until, before: earlier }) => until?.getTime() !== earlier?.getTime());
}
