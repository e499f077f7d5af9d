import { createHash, timingSafeEqual } from 'node:crypto';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { accept, reject, type Result } from '@kopeck/core/source';
import { uncapitalised } from '../callback-fields.ts';
import type { CallbackDelivery, CallbackHint } from '../provider.ts';
import type { TbankTerminal } from './config.ts';

const SHA256_HEX = /^[0-9a-f]{64}$/i;
const PAYMENT_ID = /^\d{1,20}$/;

/**
 * The bank's signature of requests, answers and notifications alike: SHA-256 over the values of all
 * fields of the root that are neither objects nor null, with the password among them, in the order of
 * their names. Numbers stand in it as they are written.
 */
export function tokenOf(fields: Readonly<Record<string, unknown>>, password: string): string {
  const signed = Object.entries({ ...fields, Password: password })
    .filter(([name, value]) => !/^token$/i.test(name) && isScalar(value))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = signed.map(([, value]) => value).join('');
  return createHash('sha256').update(text).digest('hex');
}

export function readTbankCallback(
  { body }: CallbackDelivery,
  { terminalKey, passwords }: TbankTerminal,
): Result<CallbackHint> {
  const written = parseJsonText(body);
  if (!isRecord(written)) return reject('malformed');

  const fields = uncapitalised(written);
  const claimed = textAt(fields, 'token') ?? '';
  if (!SHA256_HEX.test(claimed)) return reject('forged');
  // Names are not signed, but put the values in order: as they are written.
  if (!isSigned(written, Buffer.from(claimed, 'hex'), passwords)) return reject('forged');
  if (textAt(fields, 'terminalKey') !== terminalKey) return reject('forged');

  const paymentId = textAt(fields, 'paymentId') ?? '';
  return accept({
    attemptId: textAt(fields, 'orderId'),
    paymentId: PAYMENT_ID.test(paymentId) ? paymentId : null,
  });
}

/** All passwords are tried, in constant time each. */
function isSigned(
  fields: Record<string, unknown>,
  claimed: Buffer,
  passwords: readonly string[],
): boolean {
  let found = false;
  for (const password of passwords) {
    const expected = Buffer.from(tokenOf(fields, password), 'hex');
    found = timingSafeEqual(expected, claimed) || found;
  }
  return found;
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}
