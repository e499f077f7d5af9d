import { namedSecretList } from '../named-secrets.ts';

export interface SvixConfig {
  /** `<network>:whsec_…`: whose deliveries are signed with which keys. */
  readonly SVIX_SECRETS: string[];
}

export const svixKeys = {
  SVIX_SECRETS: namedSecretList(
    'the network and its signing key: epn:whsec_…',
    /whsec_[A-Za-z0-9+/]{32,88}={0,2}/,
  ),
};

/** What follows `whsec_` is the key in base64. */
export function keyBytes(secret: string): Buffer {
  return Buffer.from(secret.slice('whsec_'.length), 'base64');
}
