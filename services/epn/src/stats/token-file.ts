import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface TokenFile {
  /** Null: there is none yet, or it was made from another first token or with another key. */
  readonly read: () => string | null;
  /** Returns when it is on disk. */
  readonly write: (token: string) => void;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The refresh token changes each time it is used: whoever loses the newest one must be let in by hand
 * again. Bound to the first token of the configuration, so that a new one there wins over the file.
 */
export function openTokenFile(path: string, keyHex: string, firstToken: string): TokenFile {
  const key = Buffer.from(keyHex, 'hex');
  const origin = createHash('sha256').update(firstToken).digest();
  return {
    read() {
      try {
        const sealed = readFileSync(path);
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
        decipher.setAAD(origin);
        decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const text = sealed.subarray(NONCE_BYTES + TAG_BYTES);
        return Buffer.concat([decipher.update(text), decipher.final()]).toString();
      } catch {
        return null;
      }
    },
    write(token) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(origin);
      const text = Buffer.concat([cipher.update(token), cipher.final()]);
      writeDurably(path, Buffer.concat([nonce, cipher.getAuthTag(), text]));
    },
  };
}

/** Whole or not at all, also after a power cut. */
function writeDurably(path: string, bytes: Buffer): void {
  const unfinished = `${path}.tmp`;
  const file = openSync(unfinished, 'w', 0o600);
  writeSync(file, bytes);
  fsyncSync(file);
  closeSync(file);
  renameSync(unfinished, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
