import { textAt } from '@kopeck/core/json';
import type { ProviderModule } from '../provider-module.ts';
import { ProviderError } from '../provider.ts';
import type { PaymentState, Qr, SbpProvider } from '../provider.ts';
import { dateAt, kopecksOf, qrOf } from '../provider-answer.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { readBridgeCallback } from './callback.ts';
import { createBridgeClient, type BridgeClient } from './client.ts';
import { bridgeKeys, upstreamOf, type BridgeConfig, type Upstream } from './config.ts';
import { stateOf } from './states.ts';

export const bridge: ProviderModule<BridgeConfig> = {
  keys: bridgeKeys,
  credentials: 'BRIDGE_URL, BRIDGE_TOKEN, CARD_NUMBER and CARD_OWNER',
  secrets: ({ BRIDGE_TOKEN = [], CARD_NUMBER, CARD_OWNER }) =>
    [...BRIDGE_TOKEN, CARD_NUMBER, CARD_OWNER].filter((secret) => secret !== undefined),
  open(config, connect) {
    const upstream = upstreamOf(config);
    return upstream === null ? null : openBridge(upstream, connect);
  },
};

/** The upstream knows a payment by the order id that it was given. */
function openBridge(upstream: Upstream, connect: ConnectProvider): SbpProvider {
  const client = createBridgeClient(upstream, connect);
  return {
    code: 'bridge',
    app: 'bridge',
    limits: { minKopecks: 1n, maxKopecks: 100_000_000n, minTtlMinutes: 1, maxTtlMinutes: 129_600 },
    tellsExpiry: false,
    callbacks: { contentType: 'json', networks: [], acknowledgement: null },
    createQr: async (request) => readQr(await client.create(request), request.attemptId),
    recoverQr: ({ attemptId }) => recoverQr(client, attemptId),
    getState: async (paymentId) =>
      readState(await client.read(paymentId), paymentId, upstream.cardNumber),
    readCallback: async (delivery) => readBridgeCallback(delivery, upstream.tokens),
    refund: async () => {
      throw new ProviderError('rejected', 'bridge cannot refund');
    },
    readRefund: async () => null,
  };
}

async function recoverQr(client: BridgeClient, attemptId: string): Promise<Qr | null> {
  try {
    return readQr(await client.read(attemptId), attemptId);
  } catch (error) {
    if (error instanceof ProviderError && error.failure === 'rejected') return null;
    throw error;
  }
}

function readQr({ json }: ProviderAnswer, attemptId: string): Qr {
  const { link, qrcId } = qrOf('bridge', { paymentId: attemptId, link: textAt(json, 'qr') });
  return { paymentId: attemptId, qrcId: textAt(json, 'qrcId') ?? qrcId, link };
}

/** An upstream may echo the card; it stays out of the evidence. */
function readState(answer: ProviderAnswer, attemptId: string, card: string): PaymentState {
  const { json, text } = answer;
  const status = stateOf(textAt(json, 'status'));
  return {
    status,
    attemptId,
    qr: readQr(answer, attemptId),
    paidKopecks:
      status === 'paid'
        ? kopecksOf('bridge', { value: textAt(json, 'amount'), currency: 'RUB' })
        : null,
    refundedKopecks: null,
    operationId: null,
    at: dateAt(json, 'paidAt'),
    answers: [text.replaceAll(card, '***')],
  };
}
