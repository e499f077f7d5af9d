import type { KopeckEvent, Payment } from '@kopeck/core/event';
import { isRecord, parseJsonText } from '@kopeck/core/json';
import type { Money } from '@kopeck/core/money';
import { parseRoubles } from '@kopeck/core/roubles';
import { bridge } from '../../../services/sbp/src/bridge/provider.ts';
import type { ConnectProvider } from '../../../services/sbp/src/provider-http.ts';
import type { PaymentState, SbpProvider } from '../../../services/sbp/src/provider.ts';
import { raiffeisen } from '../../../services/sbp/src/raiffeisen/provider.ts';
import { tbank } from '../../../services/sbp/src/tbank/provider.ts';
import { tochka } from '../../../services/sbp/src/tochka/provider.ts';
import { yookassa } from '../../../services/sbp/src/yookassa/provider.ts';
import type { EvidenceVerdict } from './check-evidence.ts';

/**
 * A provider's own reading of its answers, which are given to it again as if they came just now. The
 * credentials are nobody's: nothing leaves this process. A refund's answer is read with what was asked,
 * which is not in it, so it is left out.
 */
const OPEN: Readonly<Record<string, (connect: ConnectProvider) => SbpProvider | null>> = {
  raiffeisen: (connect) =>
    raiffeisen.open(
      { RAIFFEISEN_URL: '', RAIFFEISEN_SECRET_KEY: ['-'], RAIFFEISEN_SBP_MERCHANT_ID: '-' },
      connect,
      neverNow,
    ),
  tbank: (connect) =>
    tbank.open(
      { TBANK_URL: '', TBANK_TERMINAL_KEY: '-', TBANK_PASSWORD: ['-'] },
      connect,
      neverNow,
    ),
  yookassa: (connect) =>
    yookassa.open(
      { YOOKASSA_URL: '', YOOKASSA_SHOP_ID: '-', YOOKASSA_SECRET_KEY: '-' },
      connect,
      neverNow,
    ),
  tochka: (connect) =>
    tochka.open(
      {
        TOCHKA_URL: '',
        TOCHKA_KEYS_URL: '',
        TOCHKA_TOKEN: '-',
        TOCHKA_MERCHANT_ID: '-',
        TOCHKA_ACCOUNT_ID: '-',
      },
      connect,
      neverNow,
    ),
  bridge: (connect) =>
    bridge.open(
      { BRIDGE_URL: '', BRIDGE_TOKEN: ['-'], CARD_NUMBER: '-', CARD_OWNER: '-' },
      connect,
      neverNow,
    ),
};

/** Reading an answer asks for no time. */
const neverNow = (): Date => new Date(0);

/** Whether the provider's kept answers tell the payment that was booked. */
export async function saysTheSame(event: KopeckEvent): Promise<EvidenceVerdict> {
  const state = await stateIn(event);
  if (state === null) return 'untold';
  return isTold(event, state) ? 'same' : 'other';
}

async function stateIn(event: KopeckEvent): Promise<PaymentState | null> {
  const kept = parseJsonText(Buffer.from(event.evidence));
  if (!isRecord(kept) || !Array.isArray(kept['answers'])) return null;
  // The answer to a refund is none to a question about its payment.
  if (event.type === 'payment.refunded' && event.data.cumulative === null) return null;
  const answers = kept['answers'].map(String);
  const provider = OPEN[String(kept['provider'])]?.(() => async () => {
    const text = answers.shift() ?? '';
    const json = parseJsonText(Buffer.from(text));
    if (!isRecord(json)) throw new Error('there is no such answer');
    return { json, text };
  });
  try {
    return (await provider?.getState((event.data as Payment).paymentId)) ?? null;
  } catch {
    return null;
  }
}

function isTold(event: KopeckEvent, state: PaymentState): boolean {
  const isTime = state.at === null || state.at.toISOString() === event.time;
  switch (event.type) {
    case 'payment.paid':
      return state.status === 'paid' && isTime && isAmount(event.data.paid, state.paidKopecks);
    case 'payment.failed':
      return state.status === 'failed' && isTime;
    case 'payment.expired':
      // By our own clock, where the provider tells no expiry.
      return state.status === 'expired' || state.status === 'pending';
    case 'payment.refunded':
      return isAmount(event.data.cumulative, state.refundedKopecks);
    default:
      return false;
  }
}

/** What the provider did not tell was the order's own price. */
function isAmount(money: Money | null, kopecks: bigint | null): boolean {
  return kopecks === null || (money !== null && parseRoubles(money.amount) === kopecks);
}
