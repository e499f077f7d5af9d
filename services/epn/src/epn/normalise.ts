import type { Delivery, Normalised } from '@kopeck/core/source';
import { normalisePostback } from '../action.ts';
import type { Network } from '../network.ts';
import type { Postback } from '../postback.ts';

/** The postback tells no time of the event: its actions fold in the order of their arrival. */
export function normalise(
  postback: Postback,
  network: Network,
  delivery: Delivery,
): Normalised<never> {
  return normalisePostback(postback, network, delivery);
}
