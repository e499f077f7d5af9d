import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { accept, reject, type Result } from '@kopeck/core/source';
import { uncapitalised } from '../callback-fields.ts';
import type { CallbackDelivery, CallbackHint } from '../provider.ts';
import { isPlausibleId } from '../provider-answer.ts';

/** The bank's public keys, fetched at need. `isFresh`: not older than the forged signature at hand. */
export type BankKeys = (isFresh: boolean) => Promise<readonly KeyObject[]>;

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * The body is a bare JWT. RS256 is the only algorithm that is believed, whatever its header says; it
 * has no time in it, so an old one can be sent again: it only tells where to look.
 */
export async function readTochkaCallback(
  { body }: CallbackDelivery,
  keys: BankKeys,
): Promise<Result<CallbackHint>> {
  const token = body.toString('latin1').trim();
  if (!JWT.test(token)) return reject('malformed');
  const [header = '', payload = '', signature = ''] = token.split('.');
  if (textAt(recordIn(header), 'alg') !== 'RS256') return reject('forged');

  const signed = Buffer.from(`${header}.${payload}`);
  const claimed = Buffer.from(signature, 'base64url');
  const isBy = (key: KeyObject): boolean => verify('RSA-SHA256', signed, key, claimed);
  const isSigned = (await keys(false)).some(isBy) || (await keys(true)).some(isBy);
  if (!isSigned) return reject('forged');

  const qrcId = textAt(uncapitalised(recordIn(payload)), 'qrcId');
  return accept({ attemptId: null, paymentId: isPlausibleId(qrcId) ? qrcId : null });
}

function recordIn(part: string): Record<string, unknown> {
  const json = parseJsonText(Buffer.from(part, 'base64url'));
  return isRecord(json) ? json : {};
}

/** One bare JWK or a set of them; anything that is no RSA key is left out. */
export function keysOf(json: Readonly<Record<string, unknown>>): readonly KeyObject[] {
  const set = Array.isArray(json['keys']) ? (json['keys'] as unknown[]) : [json];
  return set.flatMap((jwk) => {
    if (!isRecord(jwk) || jwk['kty'] !== 'RSA') return [];
    try {
      return [createPublicKey({ key: jwk, format: 'jwk' })];
    } catch {
      return [];
    }
  });
}

const KEPT_MS = 60 * 60 * 1000;
/** However many forgeries come, the bank is not asked more often. */
const REFRESH_MS = 60 * 1000;

/** Keeps the keys for an hour; a signature that fits none of them has them fetched anew. */
export function keepKeys(
  fetchKeys: () => Promise<readonly KeyObject[]>,
  now: () => Date,
): BankKeys {
  let kept: readonly KeyObject[] = [];
  let fetchedAt = -Infinity;
  let fetching: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    kept = await fetchKeys();
    fetchedAt = now().getTime();
  }

  return async (isFresh) => {
    const age = now().getTime() - fetchedAt;
    if (age >= (isFresh ? REFRESH_MS : KEPT_MS)) {
      fetching ??= refresh().finally(() => (fetching = null));
      await fetching;
    }
    return kept;
  };
}
