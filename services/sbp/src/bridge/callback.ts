import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { accept, reject, type Result } from '@kopeck/core/source';
import { isOneOf } from '@kopeck/runtime/body';
import type { CallbackDelivery, CallbackHint } from '../provider.ts';

/** `{"orderId": "…"}` with the shared token: something has changed, look. */
export function readBridgeCallback(
  { header, body }: CallbackDelivery,
  tokens: readonly string[],
): Result<CallbackHint> {
  const [, given = ''] = /^Bearer (.+)$/i.exec(header('authorization') ?? '') ?? [];
  if (!isOneOf(given, tokens)) return reject('forged');

  const fields = parseJsonText(body);
  const attemptId = isRecord(fields) ? textAt(fields, 'orderId') : null;
  return attemptId === null ? reject('malformed') : accept({ attemptId, paymentId: null });
}
