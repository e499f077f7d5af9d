import { textAt } from '@kopeck/core/json';
import { parseRoubles } from '@kopeck/core/roubles';
import type { Engine, NewQr } from './engine.ts';

/** As the bank words them, without their common `ERROR.`. */
export type RegisterError =
  | 'SBP_MERCHANT_ID_IS_MISSING'
  | 'MERCHANT_NOT_REGISTERED'
  | 'INVALID_REQUEST'
  | 'INVALID_ORDER'
  | 'DYNAMIC_QR_WITHOUT_AMOUNT'
  | 'QR_EXPIRATION_DATE_NOT_VALID'
  | 'ORDER_NUMBER_ALREADY_REGISTERED';

const ORDER = /^[A-Za-z0-9_.-]{1,40}$/;
const DEFAULT_LIFE_MS = 3 * 24 * 60 * 60 * 1000;
const ISO_WITH_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$/;

type Body = Record<string, unknown>;
type Check = (body: Body, engine: Engine, sbpMerchantId: string) => boolean;

/** In the order in which the bank looks; the first that does not hold is the answer. */
const CHECKS: readonly (readonly [RegisterError, Check])[] = [
  ['SBP_MERCHANT_ID_IS_MISSING', (body) => textAt(body, 'sbpMerchantId') !== null],
  ['MERCHANT_NOT_REGISTERED', (body, _engine, id) => textAt(body, 'sbpMerchantId') === id],
  ['INVALID_REQUEST', (body) => textAt(body, 'order') !== null],
  ['INVALID_ORDER', (body) => ORDER.test(textAt(body, 'order') ?? '')],
  ['INVALID_REQUEST', (body) => textAt(body, 'qrType') === 'QRDynamic'],
  ['DYNAMIC_QR_WITHOUT_AMOUNT', (body) => textAt(body, 'amount') !== null],
  ['INVALID_REQUEST', (body) => (parseRoubles(textAt(body, 'amount') ?? '') ?? 0n) > 0n],
  ['INVALID_REQUEST', (body) => textAt(body, 'currency') === 'RUB'],
  [
    'QR_EXPIRATION_DATE_NOT_VALID',
    (body, { now }) => isAhead(textAt(body, 'qrExpirationDate'), now()),
  ],
  // Only a paid order is known again: an unpaid one silently gets another live QR.
  [
    'ORDER_NUMBER_ALREADY_REGISTERED',
    (body, engine) => !engine.isPaid(textAt(body, 'order') ?? ''),
  ],
];

/** Reads a request to register a dynamic QR (`POST /sbp/v2/qrs`), or says what the bank minds. */
export function readRegistration(
  body: Body,
  engine: Engine,
  sbpMerchantId: string,
): NewQr | RegisterError {
  const failed = CHECKS.find(([, holds]) => !holds(body, engine, sbpMerchantId));
  if (failed !== undefined) return failed[0];

  const expiration = textAt(body, 'qrExpirationDate');
  return {
    order: textAt(body, 'order') ?? '',
    merchant: sbpMerchantId,
    kopecks: parseRoubles(textAt(body, 'amount') ?? '') ?? 0n,
    asked: body,
    expiresAt:
      expiration === null
        ? new Date(engine.now().getTime() + DEFAULT_LIFE_MS)
        : new Date(expiration),
  };
}

function isAhead(text: string | null, now: Date): boolean {
  return text === null || (ISO_WITH_OFFSET.test(text) && new Date(text) > now);
}
