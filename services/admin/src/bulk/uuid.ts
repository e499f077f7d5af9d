import { createHash } from 'node:crypto';

/** A UUID of version 8 made of a name: what is done again under the same name is the same operation. */
export function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  const middle = [hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [hex.slice(0, 8), ...middle, hex.slice(20, 32)].join('-');
}
