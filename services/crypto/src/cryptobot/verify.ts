import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Network } from '@kopeck/core/event';
import { accept, reject, type Delivery, type Result } from '@kopeck/core/source';
import type { CryptobotApp } from './config.ts';

export const SIGNATURE_HEADER = 'crypto-pay-api-signature';

/** Whose token signed, and on which network its money lives. */
export interface CryptobotProof {
  readonly app: string;
  readonly network: Network;
}

/**
 * Crypto Pay signs the bytes as they came: to parse the body and write it out again would break the
 * signature. A repeat comes for three days with the signature it had, so its age says nothing.
 */
export function verify(
  { body, header }: Delivery,
  apps: readonly CryptobotApp[],
): Result<CryptobotProof> {
  if (apps.length === 0) return reject('unconfigured');

  const claimed = signatureOf(header(SIGNATURE_HEADER));
  if (claimed === null) return reject('forged');

  const signer = apps.find(({ key }) => timingSafeEqual(sign(body, key), claimed));
  return signer === undefined
    ? reject('forged')
    : accept({ app: signer.app, network: signer.network });
}

/** Exported for the tests, which must be able to play Crypto Pay. */
export function sign(body: Buffer, key: Buffer): Buffer {
  return createHmac('sha256', key).update(body).digest();
}

/** Null unless it is exactly 64 hex digits; Node joins a repeated header with ', ', which is not. */
function signatureOf(text: string | undefined): Buffer | null {
  return text !== undefined && /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : null;
}
