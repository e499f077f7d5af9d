import { textAt } from '@kopeck/core/json';
import type { ProviderModule } from '../provider-module.ts';
import type {
  PaymentState,
  Qr,
  QrRequest,
  RefundState,
  SbpProvider,
  SentRefund,
} from '../provider.ts';
import { isPlausibleId, qrOf, recordsAt, unreadable } from '../provider-answer.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { readTbankCallback } from './callback.ts';
import { createTbankClient, type TbankClient } from './client.ts';
import { tbankKeys, terminalOf, type TbankConfig, type TbankTerminal } from './config.ts';
import { refundStateOf, stateOf } from './states.ts';

export const tbank: ProviderModule<TbankConfig> = {
  keys: tbankKeys,
  credentials: 'TBANK_TERMINAL_KEY and TBANK_PASSWORD',
  secrets: ({ TBANK_PASSWORD = [] }) => TBANK_PASSWORD,
  open(config, connect) {
    const terminal = terminalOf(config);
    return terminal === null ? null : openTbank(terminal, connect);
  },
};

const NETWORKS = ['91.194.226.0/23', '91.218.132.0/22', '212.49.24.0/24', '212.233.80.0/22'];

/** An order id can be asked for at the bank, so a lost answer is found again. */
function openTbank(terminal: TbankTerminal, connect: ConnectProvider): SbpProvider {
  const client = createTbankClient(terminal, connect);
  return {
    code: 'tbank',
    app: terminal.terminalKey,
    limits: {
      minKopecks: 1_000n,
      maxKopecks: 100_000_000n,
      minTtlMinutes: 1,
      maxTtlMinutes: 129_600,
    },
    tellsExpiry: true,
    callbacks: { contentType: 'json', networks: NETWORKS, acknowledgement: 'OK' },
    createQr: async (request) =>
      getQr(client, textAt((await client.init(request)).json, 'PaymentId')),
    recoverQr: (request) => recoverQr(client, request),
    getState: async (paymentId) => readState(await client.getState(paymentId)),
    readCallback: async (delivery) => readTbankCallback(delivery, terminal),
    cancel: async (paymentId) => void (await client.cancel(paymentId, null)),
    refund: async ({ paymentId, kopecks }) => {
      const answer = await client.cancel(paymentId, kopecks);
      return (
        refundIn(answer) ?? { status: 'pending', providerRefundId: null, answers: [answer.text] }
      );
    },
    readRefund: (refund) => readRefund(client, refund),
  };
}

async function getQr(client: TbankClient, paymentId: string | null): Promise<Qr> {
  if (!isPlausibleId(paymentId)) throw unreadable('tbank');
  const { json } = await client.getQr(paymentId);
  return qrOf('tbank', { paymentId, link: textAt(json, 'Data') });
}

/** Without a payment at the bank, the order was never registered. */
async function recoverQr(client: TbankClient, { attemptId }: QrRequest): Promise<Qr | null> {
  const { json } = await client.checkOrder(attemptId);
  const payment = recordsAt(json, 'Payments').at(-1);
  return payment === undefined ? null : await getQr(client, textAt(payment, 'PaymentId'));
}

function readState({ json, text }: ProviderAnswer): PaymentState {
  const word = textAt(json, 'Status');
  const status = stateOf(word);
  const amount = textAt(json, 'Amount');
  if (status === 'paid' && !/^\d{1,15}$/.test(amount ?? '')) throw unreadable('tbank');
  const kopecks = status === 'paid' ? BigInt(amount ?? '') : null;
  return {
    status,
    attemptId: textAt(json, 'OrderId') ?? '',
    qr: null,
    paidKopecks: kopecks,
    refundedKopecks: refundedOf(word, kopecks),
    operationId: null,
    at: null,
    answers: [text],
  };
}

/** Whether `Amount` is what was paid or what is left of it after a part went back, the bank does not say. */
function refundedOf(word: string | null, kopecks: bigint | null): PaymentState['refundedKopecks'] {
  if (word === 'PARTIAL_REFUNDED') return 'part';
  return word === 'REFUNDED' ? kopecks : null;
}

/**
 * The bank has no ids of refunds: the payment's own state tells of its only one, and not of several. Back
 * at CONFIRMED, one that the bank was at has come to nothing.
 */
async function readRefund(client: TbankClient, refund: SentRefund): Promise<RefundState | null> {
  const answer = await client.getState(refund.paymentId);
  const word = textAt(answer.json, 'Status');
  if (word !== 'REFUNDED' && !refund.isOnlyOne) return null;
  const isDropped = refund.wasAccepted && word === 'CONFIRMED';
  if (isDropped) return { status: 'failed', providerRefundId: null, answers: [answer.text] };
  return refundIn(answer);
}

function refundIn({ json, text }: ProviderAnswer): RefundState | null {
  const status = refundStateOf(textAt(json, 'Status'));
  return status === null ? null : { status, providerRefundId: null, answers: [text] };
}
