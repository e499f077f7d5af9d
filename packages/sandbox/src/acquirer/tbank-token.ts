import { createHash } from 'node:crypto';
import type { Body } from './json-bodies.ts';

/** The bank's signature: the values of the root's scalar fields and the password, in the order of names. */
export function tokenOf(fields: Body, password: string): string {
  const all: Body = { ...fields, Password: password };
  const values = Object.keys(all)
    .filter((name) => name !== 'Token' && ['string', 'boolean'].includes(typeof all[name]))
    .toSorted()
    .map((name) => String(all[name]));
  return createHash('sha256').update(values.join('')).digest('hex');
}
