import type { Source } from '@kopeck/core/source';
import type { EpnConfig } from './config.ts';
import { normalise } from './normalise.ts';
import { parse, type EpnPostback } from './parse.ts';
import { verify, type EpnProof } from './verify.ts';

export function epnSource(config: EpnConfig): Source<EpnProof, EpnPostback> {
  return {
    name: 'epn',
    proves: 'head',
    evidenceHeaders: [],
    verify: (delivery) => verify(delivery, config),
    parse,
    normalise: (postback, _proof, delivery) => normalise(postback, delivery, config),
  };
}
