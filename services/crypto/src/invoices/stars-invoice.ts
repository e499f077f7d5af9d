import type { Plans } from '@kopeck/core/grants';
import { amountOf, type Money } from '@kopeck/core/money';
import type { BotApi } from '../telegram/client.ts';
import type { Asked, Issuer, OrderDraft } from './issue.ts';
import { grantsOf, invalid, planNamed, type StarsInvoiceRequest } from './request.ts';

/** Telegram knows no other period. */
const SUBSCRIPTION_SECONDS = 2_592_000;
const MOST_STARS_A_PERIOD = 10_000n;

export interface StarsRates {
  readonly plans: Plans;
  readonly ndnPerStar: string;
}

export function starsDraft(
  request: StarsInvoiceRequest,
  rates: StarsRates,
  defaults: Pick<OrderDraft, 'orderId' | 'seconds'>,
): OrderDraft {
  const price = priceOf(request, rates);
  if (request.subscription && BigInt(price.amount) > MOST_STARS_A_PERIOD) throw invalid('stars');
  const grants = grantsOf(request, rates.plans);
  return { ...defaults, network: 'main', user: request.user, grants, price };
}

/** As the request says; else as the plan costs; else at the rate, rounded up to whole Stars. */
function priceOf(
  { stars, plan, ndn }: StarsInvoiceRequest,
  { plans, ndnPerStar }: StarsRates,
): Money {
  if (stars !== undefined) return { asset: 'XTR', amount: stars };
  if (plan !== undefined) {
    const { price } = planNamed(plan, plans);
    if (price.asset !== 'XTR' || !/^\d+$/.test(price.amount)) throw invalid('plan');
    return price;
  }
  if (ndn === undefined) throw invalid('stars');
  const rate = amountOf(ndnPerStar);
  const whole = (amountOf(ndn) + rate - 1n) / rate;
  return { asset: 'XTR', amount: String(whole) };
}

/**
 * The Bot API lists no links, so one that was lost with an unanswered call is asked for again. That
 * does no harm: before any payment the order behind a link is asked about, and it is paid once.
 */
export function starsIssuer(
  api: BotApi,
  { title, description, subscription }: StarsInvoiceRequest,
  { orderId, price }: OrderDraft,
): Issuer {
  const parameters = {
    title: title ?? `${price.amount} Stars`,
    description: description ?? title ?? orderId,
    payload: orderId,
    provider_token: '',
    currency: 'XTR',
    // tidy-allow float: the Bot API takes whole Stars, and as a JSON number
    prices: [{ label: title ?? 'Stars', amount: Number.parseInt(price.amount, 10) }],
    ...(subscription ? { subscription_period: SUBSCRIPTION_SECONDS } : {}),
  };
  return { ask: () => ask(api, parameters) };
}

async function ask(api: BotApi, parameters: Readonly<Record<string, unknown>>): Promise<Asked> {
  const called = await api.call('createInvoiceLink', parameters);
  if (called.kind === 'refused') return { kind: 'refused', status: 422, reason: called.name };
  if (called.kind === 'unreachable') {
    return { kind: 'refused', status: 502, reason: 'unreachable' };
  }
  return called.kind === 'ok' && typeof called.result === 'string'
    ? { kind: 'made', links: { url: called.result } }
    : { kind: 'unknown' };
}
