import type { Delivery, Normalised } from '@kopeck/core/source';
import { normalisePostback } from '../action.ts';
import type { Network } from '../network.ts';
import type { Postback } from '../postback.ts';

/** Kept with the event: they say which message it was, and prove it again. */
export const EVIDENCE_HEADERS = ['id', 'timestamp', 'signature'].flatMap((name) => [
  `svix-${name}`,
  `webhook-${name}`,
]);

/**
 * The same event as the postback itself would make: whichever comes first, the other is its repeat. The
 * ledger is told the message: one that comes again with another event is a conflict there.
 */
export function normalise(
  postback: Postback,
  network: Network,
  { delivery, messageId }: { readonly delivery: Delivery; readonly messageId: string },
): Normalised<never> {
  return normalisePostback(postback, network, delivery, {
    evidenceHeaders: EVIDENCE_HEADERS,
    messageId,
  });
}
