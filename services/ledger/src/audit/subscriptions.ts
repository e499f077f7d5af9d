import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { activeUntil, givenOf, planText, type Given } from '../subscription.ts';
import type { Problem } from './verify.ts';

const PAGE = 500;

/** What payments give of plans, by payment. */
export async function givenOfSubjects(
  tx: PoolConnection,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, readonly Given[]>> {
  const [rows] = await tx.query<RowDataPacket[]>(
    'SELECT subject, user, plan, days, paid_at FROM subscription_grants WHERE subject IN (?)',
    [subjects],
  );
  return Map.groupBy(rows.map(givenOf), ({ subject }) => subject);
}

/** A row without days is what was taken back, and gives nothing. */
export function sameGiven(expected: readonly Given[], found: readonly Given[]): boolean {
  return textOf(expected) === textOf(found.filter(({ days }) => days > 0));
}

function textOf(given: readonly Given[]): string {
  const texts = given.map((each) =>
    JSON.stringify([planText(each), each.days, each.paidAt.getTime()]),
  );
  return texts.toSorted().join();
}

/** Every plan runs as long as its payments make it, and there is none that no payment of ours gave. */
export async function wrongSubscriptions(tx: PoolConnection): Promise<Problem | null> {
  let [user, plan] = ['', ''];
  for (;;) {
    const [rows] = await tx.query<RowDataPacket[]>(
      `SELECT user, plan, active_until FROM subscriptions WHERE (user, plan) > (?, ?)
        ORDER BY user, plan LIMIT ${PAGE}`,
      [user, plan],
    );
    if (rows.length === 0) return wrongRest(tx);
    const [grants] = await tx.query<RowDataPacket[]>(
      `SELECT subject, user, plan, days, paid_at FROM subscription_grants
        WHERE (user, plan) IN (?)`,
      [rows.map((row) => [row['user'], row['plan']])],
    );
    const given = Map.groupBy(grants.map(givenOf), planText);
    for (const row of rows) {
      [user, plan] = [String(row['user']), String(row['plan'])];
      const until = row['active_until'] as Date | null;
      const expected = activeUntil(given.get(planText({ user, plan })) ?? []);
      if (until?.getTime() !== expected?.getTime() || !given.has(planText({ user, plan })))
        return problem(`plan ${plan} of user:${user}`, 'is not what its payments give');
    }
  }
}

/** What the pages above cannot meet: a plan that has lost its row, days that no payment has given. */
async function wrongRest(tx: PoolConnection): Promise<Problem | null> {
  const [[missing]] = await tx.query<RowDataPacket[]>(
    `SELECT g.user, g.plan FROM subscription_grants g
      LEFT JOIN subscriptions s USING (user, plan) WHERE s.user IS NULL LIMIT 1`,
  );
  if (missing !== undefined)
    return problem(`plan ${missing['plan']} of user:${missing['user']}`, 'its row is missing');
  const [[orphan]] = await tx.query<RowDataPacket[]>(
    `SELECT g.subject FROM subscription_grants g
      LEFT JOIN payments p USING (subject) WHERE p.subject IS NULL LIMIT 1`,
  );
  return orphan === undefined
    ? null
    : problem(`the state of ${orphan['subject']}`, 'days of a plan without a payment');
}

function problem(place: string, what: string): Problem {
  return { invariant: 'state', place, what };
}
