import type { Source } from '@kopeck/core/source';
import type { Postback } from '../postback.ts';
import { epnNetwork, type EpnConfig } from './config.ts';
import { normalise } from './normalise.ts';
import { parse } from './parse.ts';
import { verify, type EpnProof } from './verify.ts';

export function epnSource(config: EpnConfig): Source<EpnProof, Postback> {
  const network = epnNetwork(config);
  return {
    name: 'epn',
    proves: 'head',
    evidenceHeaders: [],
    verify: (delivery) => verify(delivery, config),
    parse: (delivery) => parse(delivery, network),
    normalise: (postback, _proof, delivery) => normalise(postback, network, delivery),
  };
}
