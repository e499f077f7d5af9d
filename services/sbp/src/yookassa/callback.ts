import { textAt } from '@kopeck/core/json';
import { accept, reject, type Result } from '@kopeck/core/source';
import { callbackFields, uncapitalised } from '../callback-fields.ts';
import type { CallbackDelivery, CallbackHint } from '../provider.ts';
import { isPlausibleId, recordAt } from '../provider-answer.ts';

/**
 * YooKassa signs nothing, so anybody can send this: it names a payment to look at, which costs one
 * question to YooKassa, and nothing that it says of the payment is even read.
 */
export function readYookassaCallback({ body }: CallbackDelivery): Result<CallbackHint> {
  const notification = callbackFields(body);
  if (notification === null) return reject('malformed');

  const event = textAt(notification, 'event') ?? '';
  const object = uncapitalised(recordAt(notification, 'object'));
  const id = textAt(object, event.startsWith('refund.') ? 'payment_id' : 'id');
  if (!isPlausibleId(id)) return reject('malformed');

  const attemptId = textAt(recordAt(object, 'metadata'), 'orderId');
  return accept({ attemptId, paymentId: id });
}
