import type { Network } from '@kopeck/core/event';
import { isRecord, textAt } from '@kopeck/core/json';
import type { InvoiceLinks } from '../order-book.ts';
import { callPartner, type Called } from '../partner-call.ts';
import type { CryptobotConfig } from './config.ts';

/** One app of Crypto Pay that invoices can be asked of. */
export interface CryptoPayApp {
  readonly app: string;
  readonly network: Network;
  readonly call: (method: string, parameters: Parameters) => Promise<Called>;
}

type Parameters = Readonly<Record<string, unknown>>;

export function payAppsOf(config: CryptobotConfig): readonly CryptoPayApp[] {
  const { CRYPTOBOT_TOKEN = [], CRYPTOBOT_TESTNET_TOKEN = [] } = config;
  return [
    ...CRYPTOBOT_TOKEN.map((token) => payApp(token, 'main', config.CRYPTOBOT_API_URL)),
    ...CRYPTOBOT_TESTNET_TOKEN.map((token) =>
      payApp(token, 'test', config.CRYPTOBOT_TESTNET_API_URL),
    ),
  ];
}

function payApp(token: string, network: Network, base: string): CryptoPayApp {
  return {
    app: token.slice(0, token.indexOf(':')),
    network,
    call: (method, parameters) =>
      callPartner({
        url: `${base}/${method}`,
        headers: { 'Crypto-Pay-API-Token': token },
        parameters,
      }),
  };
}

/** Null: Crypto Pay's answer is no invoice that can be paid. */
export function linksOf(invoice: unknown): InvoiceLinks | null {
  if (!isRecord(invoice)) return null;
  const invoiceId = textAt(invoice, 'invoice_id');
  const url = textAt(invoice, 'bot_invoice_url') ?? textAt(invoice, 'pay_url');
  if (invoiceId === null || url === null) return null;
  const miniAppUrl = textAt(invoice, 'mini_app_invoice_url');
  const webAppUrl = textAt(invoice, 'web_app_invoice_url');
  return {
    url,
    invoiceId,
    ...(miniAppUrl === null ? {} : { miniAppUrl }),
    ...(webAppUrl === null ? {} : { webAppUrl }),
  };
}

/** The items of getInvoices. Null: the answer is no list. */
export function itemsOf(result: unknown): readonly Record<string, unknown>[] | null {
  const items = isRecord(result) ? result['items'] : result;
  return Array.isArray(items) ? items.filter(isRecord) : null;
}
