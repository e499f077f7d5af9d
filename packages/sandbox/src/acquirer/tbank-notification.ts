import { jsonNumber } from '@kopeck/core/json-number';
import type { Notification } from './deliveries.ts';
import type { Told } from './dialect.ts';
import { dress } from './dress.ts';
import type { Distortion } from './notification.ts';
import { amountOf, paymentIdOf, statusOf } from './tbank-payment.ts';
import { tokenOf } from './tbank-token.ts';

export interface Terminal {
  readonly terminalKey: string;
  readonly password: string;
}

/** AUTHORIZED and CONFIRMED at the same time, as one-stage terminals do. */
export function notifications(
  { qr, engine, knobs }: Told,
  distortion: Distortion,
  { terminalKey, password }: Terminal,
): readonly Notification[] {
  const status = statusOf(qr, engine, { ...knobs, holdStatus: false });
  return (status === 'CONFIRMED' ? ['CONFIRMED', 'AUTHORIZED'] : [status]).map((word) => {
    const fields = {
      TerminalKey: terminalKey,
      OrderId: distortion.order ?? qr.order,
      Success: word !== 'REJECTED',
      Status: distortion.paymentStatus ?? word,
      PaymentId: jsonNumber(paymentIdOf(qr)),
      ErrorCode: '0',
      Amount: jsonNumber(distortion.amount ?? amountOf(qr, knobs)),
      Pan: '+7 (***) ***-**-67',
      CardId: null,
    };
    const plain = {
      ...fields,
      PaymentId: paymentIdOf(qr),
      Amount: distortion.amount ?? amountOf(qr, knobs),
    };
    const key = knobs.signature === 'good' ? password : `not ${password}`;
    const Token = tokenOf(dress(plain, knobs), key);
    const token = knobs.casing === 'camel' ? { token: Token } : { Token };
    const body = JSON.stringify({ ...dress(fields, knobs), ...token, Data: { Source: 'SBP' } });
    return { qrcId: qr.qrcId, body, headers: { 'Content-Type': 'application/json' } };
  });
}
