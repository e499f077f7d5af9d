import { accept, reject, type Delivery, type Result } from '@kopeck/core/source';
import { isOneOf } from '@kopeck/runtime/body';
import type { EpnConfig } from './config.ts';

/** Where postbacks arrive. No other path, however like it, is looked at. */
export const WEBHOOK_PATH = /^\/webhook\/[A-Za-z0-9_-]{32,}$/;

/** The path is all that EPN proves itself with: it signs nothing. */
export type EpnProof = 'path';

/** Whoever does not know the token must not learn that there is anything to know. */
export function verify(
  { path }: Pick<Delivery, 'path'>,
  { EPN_SECRET_TOKEN }: Pick<EpnConfig, 'EPN_SECRET_TOKEN'>,
): Result<EpnProof> {
  // Asked whatever the path is, so that the time tells nobody which paths come near.
  const isKnown = isOneOf(path.slice('/webhook/'.length), EPN_SECRET_TOKEN ?? []);
  if (!WEBHOOK_PATH.test(path)) return reject('hidden');
  if (EPN_SECRET_TOKEN === undefined) return reject('unconfigured');
  return isKnown ? accept('path') : reject('hidden');
}
