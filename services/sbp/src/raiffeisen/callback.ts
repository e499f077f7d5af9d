import { createHmac, timingSafeEqual } from 'node:crypto';
import { textAt } from '@kopeck/core/json';
import { accept, reject, type Result } from '@kopeck/core/source';
import { callbackFields } from '../callback-fields.ts';
import type { CallbackDelivery, CallbackHint } from '../provider.ts';

const SIGNATURE = 'x-api-signature-sha256';

/** In this order, joined by '|'. The QR id is not among them: it is not proved by the signature. */
const SIGNED = ['amount', 'sbpMerchantId', 'order', 'paymentStatus', 'transactionDate'] as const;

const QRC_ID = /^[A-Z0-9]{32}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/i;

/**
 * The bank signs some fields, the amount exactly as it stands in the body: `100.00` is not `100`. That
 * is why numbers are read as the text they were written as, and never through a float.
 */
export function readRaiffeisenCallback(
  { header, body }: CallbackDelivery,
  secretKeys: readonly string[],
): Result<CallbackHint> {
  const claimed = header(SIGNATURE);
  if (claimed === undefined || !SHA256_HEX.test(claimed)) return reject('forged');

  const fields = callbackFields(body);
  if (fields === null) return reject('malformed');
  if (!isSigned(fields, Buffer.from(claimed, 'hex'), secretKeys)) return reject('forged');

  const attemptId = textAt(fields, 'order');
  if (attemptId === null) return reject('malformed');
  const qrId = textAt(fields, 'qrId') ?? '';
  return accept({ attemptId, paymentId: QRC_ID.test(qrId) ? qrId : null });
}

/** All keys are tried, in constant time each: the time tells nothing of which one fits. */
function isSigned(
  fields: Record<string, unknown>,
  claimed: Buffer,
  secretKeys: readonly string[],
): boolean {
  const text = SIGNED.map((name) => textAt(fields, name) ?? '').join('|');
  let found = false;
  for (const key of secretKeys) {
    const expected = createHmac('sha256', key).update(text).digest();
    found = timingSafeEqual(expected, claimed) || found;
  }
  return found;
}
