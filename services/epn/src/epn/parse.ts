import type { Delivery, Parsed } from '@kopeck/core/source';
import type { Network } from '../network.ts';
import { readParameters } from '../parameters.ts';
import { parsePostback, type Postback } from '../postback.ts';

/** EPN fills in macros, in the query; it is said that it can POST a form or JSON as well. */
export function parse(delivery: Delivery, network: Network): Parsed<Postback> {
  return parsePostback(readParameters(delivery), network);
}
