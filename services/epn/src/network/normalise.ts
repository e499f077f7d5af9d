import type { Delivery, Normalised } from '@kopeck/core/source';
import { normalisePostback } from '../action.ts';
import type { Postback } from '../postback.ts';
import type { ConfiguredNetwork } from './config.ts';

export function normalise(
  postback: Postback,
  network: ConfiguredNetwork,
  delivery: Delivery,
): Normalised<never> {
  return normalisePostback(postback, network, delivery);
}
