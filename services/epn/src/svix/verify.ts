import { createHmac, timingSafeEqual } from 'node:crypto';
import { accept, reject, type Delivery, type Result } from '@kopeck/core/source';

/** The id of the message, the same on each of its attempts. */
export interface SvixProof {
  readonly messageId: string;
}

/** In both directions, as in the reference implementation. */
const TOLERANCE_SECONDS = 300;
const SIGNATURE_BYTES = 32;
/** A point would move the border between the id and the timestamp in what is signed. */
const MESSAGE_ID = /^[^.]{1,255}$/;

/**
 * Svix and Standard Webhooks sign `<id>.<timestamp>.<body>` over the bytes as they came. Only `v1` is a
 * signature with a shared key; other versions are passed over. Any of the keys may have signed.
 */
export function verify(delivery: Delivery, keys: readonly Buffer[]): Result<SvixProof> {
  if (keys.length === 0) return reject('unconfigured');
  const { id, timestamp, signatures } = claimsOf(delivery);
  if (!MESSAGE_ID.test(id) || !/^\d{1,12}$/.test(timestamp)) return reject('forged');

  const expected = keys.map((key) => sign(key, { id, timestamp, body: delivery.body }));
  const isGenuine = signatures.some((claimed) =>
    expected.some((own) => claimed.length === SIGNATURE_BYTES && timingSafeEqual(claimed, own)),
  );
  if (!isGenuine) return reject('forged');

  // Only now is the timestamp the sender's own word, and its age worth reading.
  const ageSeconds = Math.abs(delivery.receivedAt.getTime() / 1_000 - Number(timestamp));
  return ageSeconds <= TOLERANCE_SECONDS ? accept({ messageId: id }) : reject('forged');
}

export interface Signed {
  readonly id: string;
  /** Unix seconds, as written in the header. */
  readonly timestamp: string;
  readonly body: Buffer;
}

/** Exported for whoever plays the sender. */
export function sign(key: Buffer, { id, timestamp, body }: Signed): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}

interface Claims {
  readonly id: string;
  readonly timestamp: string;
  readonly signatures: readonly Buffer[];
}

/** Svix's own names first, then those of the standard; never one of each. */
function claimsOf({ header }: Delivery): Claims {
  const prefix = header('svix-id') === undefined ? 'webhook' : 'svix';
  const claims = (header(`${prefix}-signature`) ?? '').split(' ');
  return {
    id: header(`${prefix}-id`) ?? '',
    timestamp: header(`${prefix}-timestamp`) ?? '',
    signatures: claims
      .filter((claim) => claim.startsWith('v1,'))
      .map((claim) => Buffer.from(claim.slice('v1,'.length), 'base64')),
  };
}
