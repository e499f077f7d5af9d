import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

/** What a panel without a name of its own has: signed by itself, for another name than it is reached by. */
export const SELF_SIGNED = {
  cert: fixture('self-signed.cert.pem'),
  key: fixture('self-signed.key.pem'),
};

/** Signed by an authority of the operator's own, for 127.0.0.1. */
export const SIGNED = { cert: fixture('signed.cert.pem'), key: fixture('signed.key.pem') };
export const AUTHORITY = fixture('authority.cert.pem');

export const pinOf = (cert: string): string =>
  createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
