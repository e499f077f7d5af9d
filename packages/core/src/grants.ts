import type { Grant } from './event.ts';
import { isRecord, parseJsonText, textAt } from './json.ts';
import { amountOf, parseAmount, parseMoney, type Money } from './money.ts';

/**
 * What a payment gives its payer where no order of ours says it: the payload rules of Stars and of
 * CryptoBot. The partner echoes a payload unread, so other code of the same bot or an old price may
 * have written it: what does not fit exactly grants nothing, and a human looks at it.
 */
export type Verdict =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly reason: GrantRefusal };

export type GrantRefusal =
  | 'payload-missing'
  | 'payload-foreign'
  | 'payload-user-invalid'
  | 'payload-amount-invalid'
  | 'payload-amount-off-rate'
  | 'payload-plan-unknown'
  | 'payload-plan-days-differ'
  | 'payment-amount-unknown'
  | 'payment-not-the-plan-price';

export interface Plan {
  readonly price: Money;
  readonly days: number;
}

export type Plans = ReadonlyMap<string, Plan>;

const ORDER_ID = /^kp_[A-Za-z0-9_-]{1,60}$/;
const PLAN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MAX_DAYS = 36_500;

/** Above zero: negative ids are groups. Telegram promises at most 52 significant bits. */
const USER_ID = /^[1-9]\d{0,15}$/;
const MAX_USER_ID = 2n ** 52n;

/** NDN promised / NDN at the rate may differ by 1 %. */
const TOLERANCE_DIVISOR = 100n;

/** The order's id, when the payload is one that Kopeck minted. Such a payment grants what its order says. */
export function mintedOrderId(payload: string | null): string | null {
  return payload !== null && ORDER_ID.test(payload) ? payload : null;
}

/**
 * `{"telegram_id":…,"amount_ndn":…}` credits `amount_ndn`, when it is within 1 % of stars × rate.
 * `stars` and `ndnPerStar` are decimal texts.
 */
export function starsPayloadGrant(
  payload: string | null,
  stars: string,
  ndnPerStar: string,
): Verdict {
  const fields = fieldsOf(payload, ['telegram_id', 'amount_ndn']);
  if (typeof fields === 'string') return refuse(fields);

  const user = userId(fields, 'telegram_id');
  if (user === null) return refuse('payload-user-invalid');

  const promised = parseMoney('NDN', textAt(fields, 'amount_ndn') ?? '');
  if (promised === null) return refuse('payload-amount-invalid');
  if (!isWithinTolerance(promised.amount, stars, ndnPerStar)) {
    return refuse('payload-amount-off-rate');
  }

  return { ok: true, grant: { kind: 'credit', user, asset: 'NDN', amount: promised.amount } };
}

/**
 * `{"user_id":…,"plan":…,"days":…}` grants a plan of the operator's list, at its price and for its
 * days. `paid` is what was paid; for an invoice priced in a fiat currency, what it asked for.
 */
export function cryptobotPayloadGrant(
  payload: string | null,
  paid: Money | null,
  plans: Plans,
): Verdict {
  const fields = fieldsOf(payload, ['user_id', 'plan', 'days']);
  if (typeof fields === 'string') return refuse(fields);

  const user = userId(fields, 'user_id');
  if (user === null) return refuse('payload-user-invalid');

  const name = textAt(fields, 'plan') ?? '';
  const plan = plans.get(name);
  if (plan === undefined) return refuse('payload-plan-unknown');
  if (textAt(fields, 'days') !== String(plan.days)) return refuse('payload-plan-days-differ');
  if (paid === null) return refuse('payment-amount-unknown');
  if (paid.asset !== plan.price.asset || paid.amount !== plan.price.amount) {
    return refuse('payment-not-the-plan-price');
  }

  return { ok: true, grant: { kind: 'subscription', user, plan: name, days: plan.days } };
}

/** The PLANS key: `{"pro-30":{"asset":"USDT","amount":"4.5","days":30}}`. Null: it makes no sense. */
export function parsePlans(text: string): Plans | null {
  const list = parseJsonText(Buffer.from(text));
  if (!isRecord(list)) return null;

  const plans = new Map<string, Plan>();
  for (const [name, entry] of Object.entries(list)) {
    const plan = isRecord(entry) && PLAN_NAME.test(name) ? parsePlan(entry) : null;
    if (plan === null) return null;
    plans.set(name, plan);
  }
  return plans;
}

function parsePlan(entry: Record<string, unknown>): Plan | null {
  const price = parseMoney(textAt(entry, 'asset') ?? '', textAt(entry, 'amount') ?? '');
  const days = textAt(entry, 'days') ?? '';
  if (price === null || !/^[1-9]\d{0,4}$/.test(days) || Number(days) > MAX_DAYS) return null;
  return { price, days: Number(days) };
}

function refuse(reason: GrantRefusal): Verdict {
  return { ok: false, reason };
}

/** The payload as a record that has all these keys; else why it is none of ours. */
function fieldsOf(
  payload: string | null,
  keys: readonly string[],
): Record<string, unknown> | GrantRefusal {
  if (payload === null || payload === '') return 'payload-missing';
  const fields = parseJsonText(Buffer.from(payload));
  const ours = isRecord(fields) && keys.every((key) => Object.hasOwn(fields, key));
  return ours ? fields : 'payload-foreign';
}

function userId(fields: Record<string, unknown>, key: string): string | null {
  const id = textAt(fields, key) ?? '';
  return USER_ID.test(id) && BigInt(id) <= MAX_USER_ID ? id : null;
}

/** Exact: both sides are whole numbers of 10⁻³⁶. */
function isWithinTolerance(promised: string, stars: string, ndnPerStar: string): boolean {
  const rate = parseAmount(ndnPerStar);
  const paid = parseAmount(stars);
  if (rate === null || paid === null) return false;

  const atRate = paid * rate;
  const difference = amountOf(promised) * amountOf('1') - atRate;
  const distance = difference < 0n ? -difference : difference;
  return distance * TOLERANCE_DIVISOR <= atRate;
}
