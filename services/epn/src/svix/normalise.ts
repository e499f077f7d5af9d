import type { Delivery, Normalised } from '@kopeck/core/source';
import { normalisePostback } from '../action.ts';
import type { Network } from '../network.ts';
import type { Postback } from '../postback.ts';

/** Kept with the event: they say which message it was, and prove it again. */
export const EVIDENCE_HEADERS = ['id', 'timestamp', 'signature'].flatMap((name) => [
  `svix-${name}`,
  `webhook-${name}`,
]);

/** The same event as the postback itself would make: whichever comes first, the other is its repeat. */
export function normalise(
  postback: Postback,
  network: Network,
  delivery: Delivery,
): Normalised<never> {
  return normalisePostback(postback, network, delivery, EVIDENCE_HEADERS);
}
