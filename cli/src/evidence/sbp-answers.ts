import type { KopeckEvent, Payment } from '@kopeck/core/event';
import { isRecord, parseJsonText } from '@kopeck/core/json';
import type { Money } from '@kopeck/core/money';
import { parseRoubles } from '@kopeck/core/roubles';
import type { PaymentState } from '../../../services/sbp/src/provider.ts';
import { openReaders } from '../../../services/sbp/src/providers.ts';
import type { EvidenceVerdict } from './check-evidence.ts';

/**
 * Whether the provider's kept answers tell the payment that was booked, by the provider's own reading of
 * them: they are given to it again as if they came just now, and nothing leaves this process. A refund's
 * answer is read with what was asked, which is not in it, so it is left out.
 */
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
  const readers = openReaders(() => async () => {
    const text = answers.shift() ?? '';
    const json = parseJsonText(Buffer.from(text));
    if (!isRecord(json)) throw new Error('there is no such answer');
    return { json, text };
  });
  const provider = readers[String(kept['provider'])];
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
function isAmount(money: Money | null, kopecks: PaymentState['refundedKopecks']): boolean {
  return kopecks === null || (money !== null && parseRoubles(money.amount) === kopecks);
}
