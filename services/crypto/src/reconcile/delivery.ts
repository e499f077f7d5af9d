import type { Delivery } from '@kopeck/core/source';

/**
 * What a partner's list says of a payment, put as the webhook that should have come: it then takes the
 * webhook's own way, so that both make the same event, by id and by content.
 */
export function asDelivered(update: object, receivedAt: Date): Delivery {
  return {
    method: 'GET',
    path: '',
    query: '',
    header: () => undefined,
    body: Buffer.from(JSON.stringify(update)),
    receivedAt,
  };
}
