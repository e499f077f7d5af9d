import type { Grant } from '@kopeck/core/event';
import { isRecord, textAt } from '@kopeck/core/json';
import { parseMoney } from '@kopeck/core/money';
import { apiError } from './api-errors.ts';

const MOST = 10;
const NAME = /^[\p{L}\p{N}\p{P}\p{S}]{1,64}$/u;
const DAYS = /^[1-9]\d{0,4}$/;

/**
 * Reads what a shop wants its payment to give: `{kind: 'credit', user, asset, amount}`,
 * `{kind: 'subscription', user, plan, days}`, or a list of such. Throws the HttpError to answer.
 */
export function readGrants(json: unknown): readonly Grant[] {
  if (json === undefined || json === null) return [];
  const list: readonly unknown[] = Array.isArray(json) ? json : [json];
  const grants = list.map(readGrant).filter((grant) => grant !== null);
  if (grants.length !== list.length || grants.length > MOST) {
    throw apiError(
      400,
      'grant must be a credit {user, asset, amount} or a subscription {user, plan, days}',
    );
  }
  return grants;
}

function readGrant(json: unknown): Grant | null {
  if (!isRecord(json)) return null;
  const user = textAt(json, 'user') ?? '';
  if (!NAME.test(user)) return null;
  return json['kind'] === 'subscription' ? readPlan(json, user) : readCredit(json, user);
}

function readCredit(json: Record<string, unknown>, user: string): Grant | null {
  const money = parseMoney(textAt(json, 'asset') ?? '', textAt(json, 'amount') ?? '');
  return money === null || json['kind'] !== 'credit' ? null : { kind: 'credit', user, ...money };
}

function readPlan(json: Record<string, unknown>, user: string): Grant | null {
  const [plan, days] = [textAt(json, 'plan') ?? '', textAt(json, 'days') ?? ''];
  if (!NAME.test(plan) || !DAYS.test(days)) return null;
  return { kind: 'subscription', user, plan, days: Number(days) };
}
