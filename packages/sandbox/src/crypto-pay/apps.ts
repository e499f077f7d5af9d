import { createHash, createHmac } from 'node:crypto';
import { send, type Sent } from '../send.ts';
import { newInvoice, paidInvoice, type Invoice, type InvoiceRequest } from './invoices.ts';

export interface AppOptions {
  /** `<app id>:<35 characters>`. */
  readonly token: string;
  /** 'test' is @CryptoTestnetBot's. */
  readonly network: 'main' | 'test';
}

/** One app of Crypto Pay with its invoices. */
export interface App {
  readonly id: number;
  readonly token: string;
  readonly bot: string;
  readonly invoices: () => readonly Invoice[];
  readonly create: (request: InvoiceRequest) => Invoice;
  /** An invoice that came about elsewhere, under an id of its own. */
  readonly add: (id: number, request: InvoiceRequest) => Invoice;
  /** Undefined: no such invoice. Paying what is paid changes nothing. */
  readonly pay: (id: number, asset?: string) => Invoice | undefined;
  readonly reset: () => void;
}

const FIRST_ID = 41_000_001;

export function createApp({ token, network }: AppOptions, now: () => Date): App {
  const bot = network === 'main' ? 'CryptoBot' : 'CryptoTestnetBot';
  const invoices = new Map<number, Invoice>();

  function add(id: number, request: InvoiceRequest): Invoice {
    const invoice = newInvoice(id, request, bot, now());
    invoices.set(id, invoice);
    return invoice;
  }

  return {
    id: Number.parseInt(token, 10),
    token,
    bot,
    invoices: () => [...invoices.values()],
    create: (request) => add(Math.max(FIRST_ID - 1, ...invoices.keys()) + 1, request),
    add,
    pay(id, asset) {
      const invoice = invoices.get(id);
      if (invoice === undefined || invoice.status === 'paid') return invoice;
      const coin = (invoice['asset'] as string | undefined) ?? asset ?? 'USDT';
      const paid = paidInvoice(invoice, coin, now());
      invoices.set(id, paid);
      return paid;
    },
    reset: () => invoices.clear(),
  };
}

/** The update of a paid invoice; `fee` and `usd_rate` stand in the webhook only. */
export function webhookBody(invoice: Invoice, updateId: number, at: Date): string {
  const payload = { ...invoice, fee: invoice['fee_amount'], usd_rate: invoice['paid_usd_rate'] };
  return JSON.stringify({
    update_id: updateId,
    update_type: 'invoice_paid',
    request_date: at.toISOString(),
    payload,
  });
}

/** Signs with the app's token: the raw SHA-256 of it is the key of the HMAC over the bytes. */
export function sendSigned(url: string, body: string, token: string): Promise<Sent> {
  const key = createHash('sha256').update(token).digest();
  const signature = createHmac('sha256', key).update(body).digest('hex');
  return send(url, body, { 'crypto-pay-api-signature': signature });
}
