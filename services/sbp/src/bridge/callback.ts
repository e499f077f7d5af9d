import { textAt } from '@kopeck/core/json';
import { accept, reject, type Result } from '@kopeck/core/source';
import { isOneOf } from '@kopeck/runtime/body';
import { callbackFields } from '../callback-fields.ts';
import type { CallbackDelivery, CallbackHint } from '../provider.ts';

/** `{"orderId": "…"}` with the shared token: something has changed, look. */
export function readBridgeCallback(
  { header, body }: CallbackDelivery,
  tokens: readonly string[],
): Result<CallbackHint> {
  const [, given = ''] = /^Bearer (.+)$/i.exec(header('authorization') ?? '') ?? [];
  if (!isOneOf(given, tokens)) return reject('forged');

  const fields = callbackFields(body);
  const attemptId = fields === null ? null : textAt(fields, 'orderId');
  return attemptId === null ? reject('malformed') : accept({ attemptId, paymentId: null });
}
