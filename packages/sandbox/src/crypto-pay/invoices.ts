import { randomBytes } from 'node:crypto';
import { amountOf, formatAmount, multiply, truncate, type Amount } from '@kopeck/core/money';

/** An invoice as Crypto Pay shows it; what is absent is missing, never null. */
export type Invoice = Readonly<Record<string, unknown>> & {
  readonly invoice_id: number;
  readonly status: 'active' | 'paid' | 'expired';
};

/** What createInvoice was asked for, checked. */
export interface InvoiceRequest {
  readonly currency_type: 'crypto' | 'fiat';
  readonly asset?: string;
  readonly fiat?: string;
  /** Canonical decimal text. */
  readonly amount: string;
  readonly swap_to?: string;
  readonly description?: string;
  readonly hidden_message?: string;
  readonly payload?: string;
  readonly expires_in?: number;
}

/** Prices in US dollars: enough of a market for a sandbox. */
const USD: Readonly<Record<string, string>> = {
  USDT: '0.99957',
  TON: '2.9022',
  BTC: '61234.5',
  JET: '0.01',
  RUB: '0.0124',
  EUR: '1.08',
  USD: '1',
};
const ONE = amountOf('1');

export const ASSETS: readonly string[] = ['USDT', 'TON', 'BTC', 'JET'];
export const FIATS: readonly string[] = ['RUB', 'EUR', 'USD'];

export function newInvoice(id: number, request: InvoiceRequest, bot: string, at: Date): Invoice {
  const hash = `IV${randomBytes(8).toString('base64url').slice(0, 10)}`;
  const { currency_type, asset, fiat, amount, expires_in, ...rest } = request;
  return {
    invoice_id: id,
    hash,
    currency_type,
    ...(currency_type === 'crypto' ? { asset } : { fiat }),
    amount,
    ...(currency_type === 'fiat' ? { accepted_assets: ASSETS } : {}),
    pay_url: `https://t.me/${bot}?start=${hash}`,
    bot_invoice_url: `https://t.me/${bot}?start=${hash}`,
    ...rest,
    status: 'active',
    created_at: at.toISOString(),
    allow_comments: true,
    allow_anonymous: true,
    ...(expires_in === undefined
      ? {}
      : { expiration_date: new Date(at.getTime() + expires_in * 1000).toISOString() }),
  };
}

/** The same invoice when it has been paid; one in a fiat currency is paid in `asset`. */
export function paidInvoice(invoice: Invoice, asset: string, at: Date): Invoice {
  const { fiat, swap_to } = invoice as { fiat?: string; swap_to?: string };
  const price = amountOf(invoice['amount'] as string);
  const rate = fiat === undefined ? null : divide(usd(asset), usd(fiat));
  const paid = rate === null ? price : truncate(divide(price, rate), 8);
  const fee = (paid * 3n) / 100n;
  return {
    ...invoice,
    paid_asset: asset,
    paid_amount: formatAmount(paid),
    ...(rate === null ? {} : { paid_fiat_rate: formatAmount(truncate(rate, 8)) }),
    fee_asset: asset,
    fee_amount: formatAmount(truncate(fee, 10)),
    fee_in_usd: formatAmount(truncate(multiply(fee, usd(asset)), 8)),
    status: 'paid',
    ...(swap_to === undefined || swap_to === asset ? {} : swap(paid - fee, asset, swap_to)),
    paid_usd_rate: formatAmount(usd(asset)),
    paid_at: at.toISOString(),
    paid_anonymously: true,
  };
}

function swap(net: Amount, from: string, to: string): object {
  const rate = divide(usd(from), usd(to));
  return {
    is_swapped: true,
    swapped_to: to,
    swapped_rate: formatAmount(truncate(rate, 8)),
    swapped_output: formatAmount(truncate(multiply(net, rate), 6)),
  };
}

/** An asset that the market does not know costs a dollar. */
function usd(code: string): Amount {
  return amountOf(USD[code] ?? '1');
}

function divide(a: Amount, b: Amount): Amount {
  return (a * ONE) / b;
}
