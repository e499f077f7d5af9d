import { accept, reject, type Delivery, type Result } from '@kopeck/core/source';
import { isOneOf } from '@kopeck/runtime/body';
import type { ConfiguredNetwork } from './config.ts';

export type NetworkProof = 'path';

/** `/webhook/<partner>/<token>`, and nothing that only looks like it. */
const PATH = /^\/webhook\/([a-z][a-z0-9_-]{1,31})\/([A-Za-z0-9_-]{32,})$/;

/** As EPN: the path is all that such a network proves itself with. */
export function verify(
  { path }: Pick<Delivery, 'path'>,
  { partner, tokens }: Pick<ConfiguredNetwork, 'partner' | 'tokens'>,
): Result<NetworkProof> {
  const [, name, token = ''] = PATH.exec(path) ?? [];
  // Asked whatever the name is, so that the time tells nobody which networks there are.
  const isKnown = isOneOf(token, tokens);
  if (name !== partner) return reject('hidden');
  if (tokens.length === 0) return reject('unconfigured');
  return isKnown ? accept('path') : reject('hidden');
}
