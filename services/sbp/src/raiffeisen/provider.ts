import { textAt } from '@kopeck/core/json';
import { parseRoubles } from '@kopeck/core/roubles';
import { ProviderError, type PaymentState, type Qr, type SbpProvider } from '../provider.ts';
import type { ProviderAnswer } from '../provider-http.ts';
import { readRaiffeisenCallback } from './callback.ts';
import { createRaiffeisenClient, type RaiffeisenClient } from './client.ts';
import type { RaiffeisenMerchant } from './config.ts';
import { stateOf } from './states.ts';

/**
 * The bank has no idempotency key and no way to look for an order: asking twice makes two live codes.
 * So when its answer to a registration is lost, nothing can be asked until that code has expired.
 */
export function openRaiffeisen(merchant: RaiffeisenMerchant, timeoutMs: number): SbpProvider {
  const client = createRaiffeisenClient(merchant, timeoutMs);
  return {
    code: 'raiffeisen',
    app: merchant.sbpMerchantId,
    createQr: async (request) => readQr(await client.registerQr(request)),
    getState: (paymentId) => getState(client, paymentId),
    readCallback: (delivery) => readRaiffeisenCallback(delivery, merchant.secretKeys),
  };
}

async function getState(client: RaiffeisenClient, paymentId: string): Promise<PaymentState> {
  const info = await client.qrInfo(paymentId);
  const payment = await client.paymentInfo(paymentId);

  const status = stateOf(textAt(info.json, 'qrStatus'), textAt(payment.json, 'paymentStatus'));
  return {
    status,
    attemptId: textAt(payment.json, 'order') ?? '',
    qr: readQr(info),
    paidKopecks: status === 'paid' ? paidOf(payment) : null,
    at: dateAt(payment, 'transactionDate'),
    answers: [info.text, payment.text],
  };
}

const PLAUSIBLE_ID = /^[A-Za-z0-9]{1,64}$/;
const PLAUSIBLE_LINK = /^https:\/\/[!-~]{1,1000}$/;

function readQr({ json }: ProviderAnswer): Qr {
  const qrId = textAt(json, 'qrId') ?? '';
  const link = textAt(json, 'payload') ?? '';
  if (!PLAUSIBLE_ID.test(qrId) || !PLAUSIBLE_LINK.test(link)) throw unreadable();
  return { paymentId: qrId, qrcId: qrId, link };
}

function paidOf({ json }: ProviderAnswer): bigint {
  const kopecks = parseRoubles(textAt(json, 'amount') ?? '');
  if (kopecks === null || textAt(json, 'currency') !== 'RUB') throw unreadable();
  return kopecks;
}

function dateAt({ json }: ProviderAnswer, key: string): Date | null {
  const date = new Date(textAt(json, key) ?? '');
  return Number.isNaN(date.getTime()) ? null : date;
}

function unreadable(): ProviderError {
  return new ProviderError('unknown', 'raiffeisen gave an answer that cannot be read');
}
