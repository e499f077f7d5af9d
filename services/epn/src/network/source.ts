import type { Source } from '@kopeck/core/source';
import type { Postback } from '../postback.ts';
import type { ConfiguredNetwork } from './config.ts';
import { normalise } from './normalise.ts';
import { parse } from './parse.ts';
import { verify, type NetworkProof } from './verify.ts';

/** Any affiliate network that a mapping file describes. To the ledger it speaks as epn does. */
export function networkSource(network: ConfiguredNetwork): Source<NetworkProof, Postback> {
  return {
    name: 'epn',
    proves: 'head',
    evidenceHeaders: [],
    verify: (delivery) => verify(delivery, network),
    parse: (delivery) => parse(delivery, network),
    normalise: (postback, _proof, delivery) => normalise(postback, network, delivery),
  };
}
