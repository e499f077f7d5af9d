import type { Grant } from '@kopeck/core/event';
import { isRecord, textAt } from '@kopeck/core/json';
import { parseRoubles } from '@kopeck/core/roubles';
import { apiError } from './api-errors.ts';
import { readGrants } from './grant-request.ts';

export interface PaymentRequest {
  readonly orderId: string;
  readonly kopecks: bigint;
  readonly description: string | null;
  readonly returnUrl: string | null;
  readonly ttlMinutes: number | null;
  readonly provider: string | null;
  readonly grants: readonly Grant[];
}

/** Letters, marks, digits, punctuation, symbols and the plain space: nothing that does not show. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,128}$/u;
const DESCRIPTION = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,140}$/u;
const URL_TEXT = /^https?:\/\/[!-~]{1,1000}$/;
const MINUTES = /^[1-9]\d{0,5}$/;

type Body = Readonly<Record<string, unknown>>;

/**
 * Reads the body of POST /api/payment, in which numbers are texts as they were written: 100, 100.50 and
 * "100.50" are amounts in roubles, 1e2 and 0.001 are none. Throws the HttpError to answer.
 */
export function readPaymentRequest(json: unknown): PaymentRequest {
  const body: Body = isRecord(json) ? json : {};
  const { amount, orderId } = body;
  if (isMissing(amount) || isMissing(orderId)) {
    throw apiError(400, 'Missing required fields: amount, orderId');
  }
  const kopecks = readAmount(amount);
  if (typeof orderId !== 'string' || !PRINTABLE.test(orderId)) {
    throw apiError(400, 'orderId must be a string of 1 to 128 printable characters');
  }
  const minutes = optional(body, 'ttlMinutes', MINUTES, 'a whole number of minutes');
  return {
    orderId,
    kopecks,
    description: optional(body, 'description', DESCRIPTION, 'up to 140 printable characters'),
    returnUrl: optional(body, 'returnUrl', URL_TEXT, 'a URL'),
    ttlMinutes: minutes === null ? null : Number(minutes),
    provider: optional(body, 'provider', /^[a-z]{1,32}$/, 'the name of a provider'),
    grants: readGrants(body['grant']),
  };
}

function readAmount(amount: unknown): bigint {
  const kopecks = typeof amount === 'string' ? parseRoubles(amount) : null;
  if (kopecks === null || kopecks <= 0n) throw apiError(400, 'Amount must be a positive number');
  return kopecks;
}

export interface RefundBody {
  readonly refundId: string;
  /** Null: all that is left. */
  readonly kopecks: bigint | null;
}

/** Reads the body of POST /api/payment/{orderId}/refund. */
export function readRefundRequest(json: unknown): RefundBody {
  const body: Body = isRecord(json) ? json : {};
  const { amount, refundId } = body;
  if (isMissing(refundId)) throw apiError(400, 'Missing required fields: refundId');
  if (typeof refundId !== 'string' || !PRINTABLE.test(refundId) || refundId.length > 64) {
    throw apiError(400, 'refundId must be a string of 1 to 64 printable characters');
  }
  return { refundId, kopecks: isMissing(amount) ? null : readAmount(amount) };
}

function optional(body: Body, key: string, shape: RegExp, what: string): string | null {
  if (isMissing(body[key])) return null;
  const text = textAt(body, key);
  if (text === null || !shape.test(text)) throw apiError(400, `${key} must be ${what}`);
  return text;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}
