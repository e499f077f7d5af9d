import type { Source } from '@kopeck/core/source';
import type { Network } from '../network.ts';
import type { Postback } from '../postback.ts';
import { keyBytes } from './config.ts';
import { EVIDENCE_HEADERS, normalise } from './normalise.ts';
import { parse } from './parse.ts';
import { verify, type SvixProof } from './verify.ts';

/** A network's postbacks that come through Svix, or through anybody who signs as it does. */
export function svixSource(
  network: Network,
  secrets: readonly string[],
): Source<SvixProof, Postback> {
  // A sender that keeps its messages need not be told by a 400 that one of them makes no sense.
  const quiet: Network = { ...network, complains: false };
  const keys = secrets.map(keyBytes);
  return {
    name: 'epn',
    proves: 'body',
    evidenceHeaders: EVIDENCE_HEADERS,
    verify: (delivery) => verify(delivery, keys),
    parse: (delivery) => parse(delivery, quiet),
    normalise: (postback, { messageId }, delivery) =>
      normalise(postback, quiet, { delivery, messageId }),
  };
}
