import type { Delivery, Parsed } from '@kopeck/core/source';
import { readParameters } from '../parameters.ts';
import { parsePostback, type Postback } from '../postback.ts';
import type { ConfiguredNetwork } from './config.ts';

export function parse(delivery: Delivery, network: ConfiguredNetwork): Parsed<Postback> {
  return parsePostback(readParameters(delivery), network);
}
