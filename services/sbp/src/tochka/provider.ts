import { textAt } from '@kopeck/core/json';
import type { ProviderModule } from '../provider-module.ts';
import { ProviderError } from '../provider.ts';
import type { PaymentState, RefundState, SbpProvider, SentRefund } from '../provider.ts';
import { qrOf, recordAt, recordsAt, unreadable } from '../provider-answer.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { keepKeys, keysOf, readTochkaCallback } from './callback.ts';
import { createTochkaClient, OWN_OPERATION, type TochkaClient } from './client.ts';
import { merchantOf, tochkaKeys, type TochkaConfig, type TochkaMerchant } from './config.ts';
import { refundStateOf, stateOf } from './states.ts';

export const tochka: ProviderModule<TochkaConfig> = {
  keys: tochkaKeys,
  credentials: 'TOCHKA_TOKEN, TOCHKA_MERCHANT_ID and TOCHKA_ACCOUNT_ID',
  secrets: ({ TOCHKA_TOKEN: token }) => (token === undefined ? [] : [token]),
  open(config, connect, now) {
    const merchant = merchantOf(config);
    return merchant === null ? null : openTochka(merchant, connect, now);
  },
};

/**
 * The bank knows no order ids and tells of a payment for a day; of older ones only in its list of all. A
 * code has no name but its own id, so one whose answer was lost was shown to nobody and can be paid by
 * nobody: it is forgotten, and another one is made.
 */
function openTochka(
  merchant: TochkaMerchant,
  connect: ConnectProvider,
  now: () => Date,
): SbpProvider {
  const client = createTochkaClient(merchant, connect, now);
  const keys = keepKeys(async () => keysOf((await client.keys()).json), now);
  return {
    code: 'tochka',
    app: merchant.merchantId,
    limits: { minKopecks: 1n, maxKopecks: 100_000_000n, minTtlMinutes: 1, maxTtlMinutes: 129_600 },
    tellsExpiry: false,
    callbacks: { contentType: 'any', networks: [], acknowledgement: null },
    createQr: async (request) => {
      const data = dataOf(await client.registerQr(request));
      const qrcId = textAt(data, 'qrcId');
      return { ...qrOf('tochka', { paymentId: qrcId, link: textAt(data, 'payload') }), qrcId };
    },
    recoverQr: async () => null,
    getState: (paymentId, since) => getState(client, paymentId, since),
    readCallback: (delivery) => readTochkaCallback(delivery, keys),
    refund: async (request) => {
      if (request.operationId === null) {
        throw new ProviderError('rejected', 'tochka does not know the operation any more');
      }
      return readRefundAnswer(await client.createRefund(request));
    },
    readRefund: (refund) => readRefund(client, refund),
  };
}

async function getState(
  client: TochkaClient,
  paymentId: string,
  since: Date | undefined,
): Promise<PaymentState> {
  const answer = await askState(client, paymentId, since);
  const payments = answer === null ? [] : paymentsIn(answer);
  const payment = payments.find((one) => textAt(one, 'qrcId') === paymentId) ?? {};
  return {
    status: stateOf(textAt(payment, 'status')),
    attemptId: null,
    qr: null,
    paidKopecks: null,
    refundedKopecks: null,
    operationId: operationOf(payment),
    at: null,
    answers: answer === null ? [] : [answer.text],
  };
}

/** The state has the operation's number in SBP; the list may have the bank's own, which a refund takes too. */
function operationOf(payment: Record<string, unknown>): string | null {
  const own = textAt(payment, 'refTransactionId');
  return textAt(payment, 'trxId') ?? (own === null ? null : `${OWN_OPERATION}${own}`);
}

/**
 * Once the code is over, or its payment is a day old, its state is told no more: the list of payments is.
 * Null: nothing is.
 */
async function askState(
  client: TochkaClient,
  paymentId: string,
  since: Date | undefined,
): Promise<ProviderAnswer | null> {
  try {
    return await client.paymentStatus(paymentId);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.failure !== 'rejected') throw error;
    return client.payments === null ? null : await client.payments(paymentId, since);
  }
}

/** The state's answer and the list's differ in the name only. */
function paymentsIn(answer: ProviderAnswer): readonly Record<string, unknown>[] {
  const data = dataOf(answer);
  return [...recordsAt(data, 'paymentList'), ...recordsAt(data, 'Payments')];
}

/** Without its number a refund cannot be asked for. */
async function readRefund(
  client: TochkaClient,
  { providerRefundId }: SentRefund,
): Promise<RefundState | null> {
  return providerRefundId === null ? null : readRefundAnswer(await client.refund(providerRefundId));
}

function readRefundAnswer(answer: ProviderAnswer): RefundState {
  const data = dataOf(answer);
  const id = textAt(data, 'requestId');
  if (id === null) throw unreadable('tochka');
  const status = refundStateOf(textAt(data, 'status'));
  return { status, providerRefundId: id, answers: [answer.text] };
}

function dataOf({ json }: ProviderAnswer): Record<string, unknown> {
  return recordAt(json, 'Data');
}
