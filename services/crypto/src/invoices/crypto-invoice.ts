import type { Plans } from '@kopeck/core/grants';
import { textAt } from '@kopeck/core/json';
import { parseMoney, type Money } from '@kopeck/core/money';
import { HttpError } from '@kopeck/runtime/http-app';
import { itemsOf, linksOf, type CryptoPayApp } from '../cryptobot/client.ts';
import type { InvoiceLinks } from '../order-book.ts';
import type { Asked, Issuer, OrderDraft } from './issue.ts';
import { grantsOf, invalid, planNamed, type CryptoInvoiceRequest } from './request.ts';

/** The newest invoices among which one of a minute ago must be. */
const LOOK_AT = 1_000;

/** The app that the request names, else the first of its network. Throws where there is none. */
export function appFor(
  { app, network }: CryptoInvoiceRequest,
  apps: readonly CryptoPayApp[],
): CryptoPayApp {
  const ofNetwork = apps.filter((candidate) => candidate.network === network);
  if (ofNetwork.length === 0) throw new HttpError(409, { error: 'cryptobot_not_configured' });
  const found = ofNetwork.find((candidate) => app === undefined || candidate.app === app);
  if (found === undefined) throw invalid('app');
  return found;
}

export function cryptoDraft(
  request: CryptoInvoiceRequest,
  plans: Plans,
  defaults: Pick<OrderDraft, 'orderId' | 'seconds'>,
): OrderDraft {
  const { network, user } = request;
  const grants = grantsOf(request, plans);
  return { ...defaults, network, user, grants, price: priceOf(request, plans) };
}

/** As the request says; else as the plan costs. */
function priceOf({ asset, fiat, amount, plan }: CryptoInvoiceRequest, plans: Plans): Money {
  const code = asset ?? fiat;
  if (amount !== undefined && code !== undefined) {
    return parseMoney(code, amount) ?? refuse('amount');
  }
  if (amount !== undefined || plan === undefined) throw invalid('amount', 'asset|fiat');
  const { price } = planNamed(plan, plans);
  if (price.asset === 'XTR' || (code !== undefined && code !== price.asset)) throw invalid('plan');
  return price;
}

function refuse(field: string): never {
  throw invalid(field);
}

/** The order's id is the invoice's payload, which Crypto Pay echoes and lists. */
export function cryptoIssuer(
  app: CryptoPayApp,
  request: CryptoInvoiceRequest,
  { orderId, price, seconds }: OrderDraft,
): Issuer {
  const { fiat, swapTo, description, hiddenMessage } = request;
  const parameters = {
    ...(fiat === undefined
      ? { currency_type: 'crypto', asset: price.asset }
      : { currency_type: 'fiat', fiat: price.asset }),
    amount: price.amount,
    payload: orderId,
    expires_in: seconds,
    ...(swapTo === undefined ? {} : { swap_to: swapTo }),
    ...(description === undefined ? {} : { description }),
    ...(hiddenMessage === undefined ? {} : { hidden_message: hiddenMessage }),
  };
  return {
    ask: () => ask(app, parameters),
    find: () => find(app, orderId),
  };
}

async function ask(app: CryptoPayApp, parameters: Readonly<Record<string, unknown>>) {
  const called = await app.call('createInvoice', parameters);
  const unknown: Asked = { kind: 'unknown' };
  switch (called.kind) {
    case 'ok': {
      const links = linksOf(called.result);
      return links === null ? unknown : ({ kind: 'made', links } as const);
    }
    case 'refused':
      return { kind: 'refused', status: 422, reason: called.name } as const;
    case 'unreachable':
      return { kind: 'refused', status: 502, reason: 'unreachable' } as const;
    default:
      return unknown;
  }
}

async function find(app: CryptoPayApp, orderId: string): Promise<InvoiceLinks | null> {
  const called = await app.call('getInvoices', { count: LOOK_AT });
  const items = called.kind === 'ok' ? itemsOf(called.result) : null;
  return linksOf(items?.find((item) => textAt(item, 'payload') === orderId));
}
