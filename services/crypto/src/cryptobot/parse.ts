import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { parsed, senseless, type Delivery, type Parsed } from '@kopeck/core/source';

/** What we read of an invoice, all as texts; null is what was not there. */
export interface Invoice {
  readonly invoiceId: string;
  readonly paidAt: string | null;
  readonly isFiatPriced: boolean;
  readonly asset: string | null;
  readonly fiat: string | null;
  readonly amount: string | null;
  readonly paidAsset: string | null;
  readonly paidAmount: string | null;
  readonly feeAsset: string | null;
  readonly feeAmount: string | null;
  readonly isSwapped: boolean;
  readonly swappedTo: string | null;
  readonly swappedOutput: string | null;
  /** Our own data of createInvoice, as Crypto Pay echoes it. */
  readonly payload: string | null;
}

export type CryptobotNotification =
  | { readonly kind: 'invoice_paid'; readonly invoice: Invoice }
  /** A type that Crypto Pay has added since. */
  | { readonly kind: 'other' };

/** With its prefixes an id must fit a subject of 300 characters. */
const MAX_ID_LENGTH = 255;

export function parse({ body }: Delivery): Parsed<CryptobotNotification> {
  const update = parseJsonText(body);
  if (!isRecord(update)) return senseless('not-a-json-object');

  const type = textAt(update, 'update_type');
  if (type === null) return senseless('no-update-type');
  if (type !== 'invoice_paid') return parsed({ kind: 'other' });

  const payload = update['payload'];
  if (!isRecord(payload)) return senseless('no-payload');
  // The type alone is never believed.
  if (textAt(payload, 'status') !== 'paid') return senseless('not-paid');

  const invoiceId = textAt(payload, 'invoice_id');
  if (invoiceId === null) return senseless('no-invoice-id');
  if (invoiceId.length > MAX_ID_LENGTH) return senseless('invoice-id-too-long');

  return parsed({ kind: 'invoice_paid', invoice: invoiceOf(invoiceId, payload) });
}

function invoiceOf(invoiceId: string, payload: Record<string, unknown>): Invoice {
  const money = (key: string): string | null => moneyText(payload, key);
  return {
    invoiceId,
    paidAt: textAt(payload, 'paid_at'),
    isFiatPriced: isFiatPriced(payload),
    asset: money('asset'),
    fiat: money('fiat'),
    amount: money('amount'),
    paidAsset: money('paid_asset'),
    paidAmount: money('paid_amount'),
    feeAsset: money('fee_asset'),
    // `fee` is what it was called before.
    feeAmount: money('fee_amount') ?? money('fee'),
    // One library has seen it as text.
    isSwapped: payload['is_swapped'] === true || payload['is_swapped'] === 'true',
    swappedTo: money('swapped_to'),
    swappedOutput: money('swapped_output'),
    payload: textAt(payload, 'payload'),
  };
}

function isFiatPriced(payload: Record<string, unknown>): boolean {
  const type = textAt(payload, 'currency_type');
  return type === 'fiat' || (type === null && textAt(payload, 'asset') === null);
}

/** What is there but is no text becomes '', which no amount and no asset is: it may not pass for absent. */
function moneyText(payload: Record<string, unknown>, key: string): string | null {
  const value = payload[key] ?? null;
  if (value === null) return null;
  return typeof value === 'string' ? value : '';
}
