import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Credentials as they lie in the database: a version byte, the IV, the tag, the text. The name is part
 * of what is authenticated, so that one server's credentials cannot be put under another one's name.
 */
export function seal(text: string, name: string, [key = '']: readonly string[]): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyOf(key), iv);
  cipher.setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.from([1]), iv, cipher.getAuthTag(), sealed]);
}

/** With any of the keys, so that one can be rotated. Null: with none of them, or it was changed. */
export function unseal(sealed: Buffer, name: string, keys: readonly string[]): string | null {
  const iv = sealed.subarray(1, 1 + IV_BYTES);
  const tag = sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES);
  const body = sealed.subarray(1 + IV_BYTES + TAG_BYTES);
  for (const key of keys) {
    try {
      const decipher = createDecipheriv(ALGORITHM, keyOf(key), iv);
      decipher.setAAD(Buffer.from(name));
      decipher.setAuthTag(tag);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch {
      // Another key may fit.
    }
  }
  return null;
}

/** Whatever its length, a key of 32 characters or more becomes one of 32 bytes. */
function keyOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
