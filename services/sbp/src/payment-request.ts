import { isRecord } from '@kopeck/core/json';
import { parseRoubles } from '@kopeck/core/roubles';
import { apiError } from './api-errors.ts';

export interface PaymentRequest {
  readonly orderId: string;
  readonly kopecks: bigint;
}

/** Letters, marks, digits, punctuation, symbols and the plain space: nothing that does not show. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,128}$/u;

/**
 * Reads the body of POST /api/payment, in which numbers are texts as they were written: 100, 100.50 and
 * "100.50" are amounts in roubles, 1e2 and 0.001 are none. Throws the HttpError to answer.
 */
export function readPaymentRequest(body: unknown): PaymentRequest {
  const { amount, orderId } = isRecord(body) ? body : {};
  if (isMissing(amount) || isMissing(orderId)) {
    throw apiError(400, 'Missing required fields: amount, orderId');
  }
  const kopecks = typeof amount === 'string' ? parseRoubles(amount) : null;
  if (kopecks === null || kopecks <= 0n) throw apiError(400, 'Amount must be a positive number');
  if (typeof orderId !== 'string' || !PRINTABLE.test(orderId)) {
    throw apiError(400, 'orderId must be a string of 1 to 128 printable characters');
  }
  return { orderId, kopecks };
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}
