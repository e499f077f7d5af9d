import { textAt } from '@kopeck/core/json';
import type { ProviderModule } from '../provider-module.ts';
import type { PaymentState, RefundState, SbpProvider } from '../provider.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { dateAt, kopecksOf, qrOf } from '../provider-answer.ts';
import { readRaiffeisenCallback } from './callback.ts';
import { createRaiffeisenClient, type RaiffeisenClient } from './client.ts';
import { merchantOf, raiffeisenKeys, type RaiffeisenConfig } from './config.ts';
import type { RaiffeisenMerchant } from './config.ts';
import { refundStateOf, stateOf } from './states.ts';

export const raiffeisen: ProviderModule<RaiffeisenConfig> = {
  keys: raiffeisenKeys,
  credentials: 'RAIFFEISEN_SECRET_KEY and RAIFFEISEN_SBP_MERCHANT_ID',
  secrets: ({ RAIFFEISEN_SECRET_KEY = [] }) => RAIFFEISEN_SECRET_KEY,
  open(config, connect) {
    const merchant = merchantOf(config);
    return merchant === null ? null : openRaiffeisen(merchant, connect);
  },
};

/**
 * The bank has no idempotency key and no way to look for an order: asking twice makes two live codes.
 * So when its answer to a registration is lost, nothing can be asked until that code has expired.
 */
function openRaiffeisen(merchant: RaiffeisenMerchant, connect: ConnectProvider): SbpProvider {
  const client = createRaiffeisenClient(merchant, connect);
  return {
    code: 'raiffeisen',
    app: merchant.sbpMerchantId,
    limits: { minKopecks: 1n, maxKopecks: 100_000_000n, minTtlMinutes: 1, maxTtlMinutes: 129_600 },
    tellsExpiry: true,
    callbacks: { contentType: 'json', networks: ['193.28.44.23/32'], acknowledgement: null },
    createQr: async (request) => readQr(await client.registerQr(request)),
    getState: (paymentId) => getState(client, paymentId),
    readCallback: async (delivery) => readRaiffeisenCallback(delivery, merchant.secretKeys),
    cancel: async (paymentId) => void (await client.cancelQr(paymentId)),
    refund: async (request) => readRefund(await client.refund(request), request.refundKey),
    readRefund: async ({ refundKey }) => readRefund(await client.refundInfo(refundKey), refundKey),
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
    refundedKopecks: null,
    operationId: textAt(payment.json, 'transactionId'),
    at: dateAt(payment.json, 'transactionDate'),
    answers: [info.text, payment.text],
  };
}

function readQr({ json }: ProviderAnswer): ReturnType<typeof qrOf> {
  const qrId = textAt(json, 'qrId');
  const qr = qrOf('raiffeisen', { paymentId: qrId, link: textAt(json, 'payload') });
  return { ...qr, qrcId: qrId };
}

function paidOf({ json }: ProviderAnswer): bigint {
  const [value, currency] = [textAt(json, 'amount'), textAt(json, 'currency')];
  return kopecksOf('raiffeisen', { value, currency });
}

/** The bank knows a refund by our own id. */
function readRefund({ json, text }: ProviderAnswer, refundKey: string): RefundState {
  const status = refundStateOf(textAt(json, 'refundStatus'));
  return { status, providerRefundId: refundKey, answers: [text] };
}
