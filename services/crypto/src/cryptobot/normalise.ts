import type { Payment } from '@kopeck/core/event';
import { evidenceOf } from '@kopeck/core/evidence';
import { makeEvent } from '@kopeck/core/make-event';
import { canonicalAmount, parseMoney, type Money } from '@kopeck/core/money';
import { senseless, type Delivery, type Normalised } from '@kopeck/core/source';
import type { CryptobotNotification, Invoice } from './parse.ts';
import { SIGNATURE_HEADER, type CryptobotProof } from './verify.ts';

/** A signature proves one body and opens nothing else, so it may be kept. */
export const EVIDENCE_HEADERS: readonly string[] = [SIGNATURE_HEADER];

export function normalise(
  notification: CryptobotNotification,
  { app, network }: CryptobotProof,
  delivery: Delivery,
): Normalised<never> {
  if (notification.kind === 'other') return { kind: 'ignored', reason: 'unknown-update-type' };

  const { invoice } = notification;
  const amounts = amountsOf(invoice);
  if (amounts === null) return senseless('amount-makes-no-sense');

  const event = makeEvent({
    source: 'cryptobot',
    type: 'payment.paid',
    identity: [app, network, invoice.invoiceId],
    subject: `payment:cryptobot:${app}:${network}:${invoice.invoiceId}`,
    time: timeOf(invoice.paidAt),
    receivedAt: delivery.receivedAt,
    network,
    money: amounts.paid,
    reference: invoice.payload,
    data: {
      provider: 'cryptobot',
      app,
      paymentId: invoice.invoiceId,
      reference: invoice.payload,
      ...amounts,
      // Crypto Pay tells nobody who paid.
      payer: null,
      recurring: null,
    },
    evidence: evidenceOf(delivery, EVIDENCE_HEADERS),
  });
  return { kind: 'event', event };
}

type Amounts = Pick<Payment, 'paid' | 'price' | 'fee' | 'swap'>;

/** Null: something is written as money and is none. What is missing is missing: the ledger asks a human. */
function amountsOf(invoice: Invoice): Amounts | null {
  const paid = paidOf(invoice);
  const amounts = {
    paid,
    price: priceOf(invoice, paid),
    fee: feeOf(invoice),
    swap: invoice.isSwapped ? moneyOf(invoice.swappedOutput, invoice.swappedTo) : null,
  };
  return isSound(amounts) ? amounts : null;
}

type Reading = Money | null | 'senseless';

function isSound(amounts: Record<keyof Amounts, Reading>): amounts is Amounts {
  return Object.values(amounts).every((amount) => amount !== 'senseless');
}

/** What a fiat price came to in coins stands in `paid_amount` only; a price in coins is what was paid. */
function paidOf({ isFiatPriced, paidAmount, paidAsset, amount, asset }: Invoice): Reading {
  if (isFiatPriced) return moneyOf(paidAmount, paidAsset);
  return paidAmount === null ? moneyOf(amount, asset) : moneyOf(paidAmount, paidAsset ?? asset);
}

/**
 * Only where it is in another asset than was paid: what was paid in the same one is what counts, should
 * the two ever differ.
 */
function priceOf({ isFiatPriced, amount, fiat, asset }: Invoice, paid: Reading): Reading {
  const price = moneyOf(amount, isFiatPriced ? fiat : asset);
  return assetOf(price) === assetOf(paid) ? null : price;
}

function assetOf(reading: Reading): string | null {
  return reading === null || reading === 'senseless' ? reading : reading.asset;
}

/** No fee may be written as a fee of nothing. */
function feeOf({ feeAmount, feeAsset, paidAsset, asset }: Invoice): Reading {
  if (feeAmount !== null && canonicalAmount(feeAmount) === '0') return null;
  return moneyOf(feeAmount, feeAsset ?? paidAsset ?? asset);
}

/** An amount of nobody knows what is as good as none, but it must still be an amount. */
function moneyOf(amount: string | null, asset: string | null): Reading {
  if (amount === null) return null;
  if (asset !== null) return parseMoney(asset, amount) ?? 'senseless';
  return parseMoney('XXX', amount) === null ? 'senseless' : null;
}

const ISO_TIME = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** A time that makes no sense must not cost the payment: it is then the time of receipt. */
function timeOf(text: string | null): Date | null {
  if (text === null || !ISO_TIME.test(text)) return null;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}
