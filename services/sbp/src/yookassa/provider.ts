import { textAt } from '@kopeck/core/json';
import type { ProviderModule } from '../provider-module.ts';
import { ProviderError } from '../provider.ts';
import type {
  PaymentState,
  Qr,
  QrRequest,
  RefundState,
  SbpProvider,
  SentRefund,
} from '../provider.ts';
import { dateAt, kopecksOf, qrOf, recordAt, unreadable } from '../provider-answer.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { readYookassaCallback } from './callback.ts';
import { createYookassaClient, type YookassaClient } from './client.ts';
import { shopOf, yookassaKeys, type YookassaConfig, type YookassaShop } from './config.ts';
import { refundStateOf, stateOf } from './states.ts';

export const yookassa: ProviderModule<YookassaConfig> = {
  keys: yookassaKeys,
  credentials: 'YOOKASSA_SHOP_ID and YOOKASSA_SECRET_KEY',
  secrets: secretsOf,
  open(config, connect) {
    const shop = shopOf(config);
    return shop === null ? null : openYookassa(shop, connect);
  },
};

const NETWORKS = [
  '185.71.76.0/27',
  '185.71.77.0/27',
  '77.75.153.0/25',
  '77.75.154.128/25',
  '77.75.156.11/32',
  '77.75.156.35/32',
  '2a02:5180::/32',
];

/** How long the same key is the same request. */
const KEY_LIVES_MS = 23 * 60 * 60 * 1000;

/** An SBP payment lives for an hour, and nobody can change or end that. */
function openYookassa(shop: YookassaShop, connect: ConnectProvider): SbpProvider {
  const client = createYookassaClient(shop, connect);
  return {
    code: 'yookassa',
    app: shop.shopId,
    limits: { minKopecks: 100n, maxKopecks: 70_000_000n, minTtlMinutes: 60, maxTtlMinutes: 60 },
    tellsExpiry: true,
    callbacks: { contentType: 'json', networks: NETWORKS, acknowledgement: null },
    createQr: (request) => createQr(client, request),
    recoverQr: (request) => createQr(client, request),
    getState: async (paymentId) => readState(await client.payment(paymentId)),
    readCallback: async (delivery) => readYookassaCallback(delivery),
    refund: async (request) => readRefundAnswer(await client.createRefund(request)),
    readRefund: (refund) => readRefund(client, refund),
  };
}

/** A shop that may not draw codes itself gets a page of YooKassa to show. */
async function createQr(client: YookassaClient, request: QrRequest): Promise<Qr> {
  try {
    return readQr(await client.createPayment(request, 'qr'));
  } catch (error) {
    if (!(error instanceof ProviderError) || error.failure !== 'rejected') throw error;
    return readQr(await client.createPayment(request, 'redirect'));
  }
}

function readQr({ json }: ProviderAnswer): Qr {
  const confirmation = recordAt(json, 'confirmation');
  const link =
    textAt(confirmation, 'confirmation_data') ?? textAt(confirmation, 'confirmation_url');
  return qrOf('yookassa', { paymentId: textAt(json, 'id'), link });
}

function readState({ json, text }: ProviderAnswer): PaymentState {
  const reason = textAt(recordAt(json, 'cancellation_details'), 'reason');
  const status = stateOf(textAt(json, 'status'), reason);
  const method = recordAt(json, 'payment_method');
  return {
    status,
    attemptId: textAt(recordAt(json, 'metadata'), 'orderId') ?? '',
    qr: status === 'pending' ? readQr({ json, text }) : null,
    paidKopecks: status === 'paid' ? kopecksAt(json, 'amount') : null,
    refundedKopecks: Object.hasOwn(json, 'refunded_amount')
      ? kopecksAt(json, 'refunded_amount')
      : null,
    operationId: textAt(method, 'sbp_operation_id'),
    at: dateAt(json, 'captured_at'),
    answers: [text],
  };
}

function kopecksAt(json: Record<string, unknown>, key: string): bigint {
  const amount = recordAt(json, key);
  const [value, currency] = [textAt(amount, 'value'), textAt(amount, 'currency')];
  return kopecksOf('yookassa', { value, currency });
}

async function readRefund(client: YookassaClient, refund: SentRefund): Promise<RefundState | null> {
  const { providerRefundId, ageMs } = refund;
  if (providerRefundId !== null) return readRefundAnswer(await client.refund(providerRefundId));
  return ageMs < KEY_LIVES_MS ? readRefundAnswer(await client.createRefund(refund)) : null;
}

function readRefundAnswer({ json, text }: ProviderAnswer): RefundState {
  const id = textAt(json, 'id');
  if (id === null) throw unreadable('yookassa');
  return { status: refundStateOf(textAt(json, 'status')), providerRefundId: id, answers: [text] };
}

/** The credentials travel in base64. */
function secretsOf({ YOOKASSA_SECRET_KEY: key, YOOKASSA_SHOP_ID: id }: YookassaConfig): string[] {
  return key === undefined ? [] : [key, Buffer.from(`${id ?? ''}:${key}`).toString('base64')];
}
