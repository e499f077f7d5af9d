import { createHash } from 'node:crypto';

export interface Link {
  readonly seq: bigint;
  readonly id: string;
  readonly outcome: string;
  /** SHA-256 of the evidence, in hex: so that retention may empty the evidence itself. */
  readonly evidenceHash: string;
  readonly data: string;
  readonly inputs: string;
  readonly postings: string;
}

/** The head before the first link. */
export const GENESIS = '0'.repeat(64);

/**
 * SHA-256 over the head before and the fields of the link, each preceded by its length in bytes as 32
 * bits, big-endian: no two different links have the same bytes. No clock is in it, so a rebuild arrives
 * at the same head.
 */
export function nextHash(head: string, link: Link): string {
  const hash = createHash('sha256').update(Buffer.from(head, 'hex'));
  const { seq, id, outcome, evidenceHash, data, inputs, postings } = link;
  for (const field of [seq.toString(), id, outcome, evidenceHash, data, inputs, postings]) {
    const bytes = Buffer.from(field, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}
