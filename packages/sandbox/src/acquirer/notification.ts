import { createHmac } from 'node:crypto';
import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles } from '@kopeck/core/roubles';
import type { Notification } from './deliveries.ts';
import { dress } from './dress.ts';
import type { Attempt, Qr } from './engine.ts';
import type { Knobs } from './knobs.ts';

export interface Merchant {
  /** Bearer of the API, and the key that notifications are signed with. */
  readonly secretKey: string;
  readonly sbpMerchantId: string;
  readonly merchantId: string;
}

/** What a tester wants said that is not so: a foreign order, another amount or status. */
export interface Distortion {
  readonly amount?: string;
  readonly order?: string;
  readonly paymentStatus?: string;
  readonly qrId?: string;
}

/** The bank's notification of one attempt to pay, signed over the amount exactly as it is written. */
export function raiffeisenNotification(
  { qr, attempt, knobs }: { qr: Qr; attempt: Attempt; knobs: Knobs },
  { secretKey, sbpMerchantId, merchantId }: Merchant,
  distortion: Distortion = {},
): Notification {
  const amount = distortion.amount ?? shownAmount(qr, knobs);
  const fields = {
    transactionId: attempt.transactionId,
    qrId: distortion.qrId ?? qr.qrcId,
    sbpMerchantId,
    merchantId: jsonNumber(merchantId),
    amount: jsonNumber(amount),
    currency: 'RUB',
    transactionDate: bankTime(attempt.at, 6),
    paymentStatus: distortion.paymentStatus ?? PAYMENT_STATUS[attempt.result],
    order: distortion.order ?? qr.order,
    createDate: bankTime(qr.createdAt, 0),
  };
  const signed = [
    amount,
    sbpMerchantId,
    fields.order,
    fields.paymentStatus,
    fields.transactionDate,
  ];
  const key = knobs.signature === 'good' ? secretKey : `not ${secretKey}`;
  const signature = createHmac('sha256', key).update(signed.join('|')).digest('hex');
  return {
    qrcId: qr.qrcId,
    body: JSON.stringify(dress(fields, knobs)),
    headers: { 'Content-Type': 'application/json', 'X-Api-Signature-SHA256': signature },
  };
}

export function shownAmount({ kopecks }: Qr, { claimedAmount, amountDecimals }: Knobs): string {
  return claimedAmount ?? formatRoubles(kopecks, amountDecimals);
}

export const PAYMENT_STATUS: Readonly<Record<Attempt['result'], string>> = {
  success: 'SUCCESS',
  declined: 'DECLINED',
};

const MOSCOW_MS = 3 * 60 * 60 * 1000;

/** As the bank writes times: Moscow's, with as many decimals of a second as it uses there. */
export function bankTime(at: Date, decimals: number): string {
  const local = new Date(at.getTime() + MOSCOW_MS).toISOString();
  const fraction = decimals === 0 ? '' : `.${local.slice(20, 23).padEnd(decimals, '0')}`;
  return `${local.slice(0, 19)}${fraction}+03:00`;
}
