import { hash } from 'node:crypto';

/** All that one link of the chain covers, as text: a row of the inbox and the lines of its entry. */
export interface Link {
  readonly seq: bigint;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly network: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly contenthash: string;
  /** The times of the event, ISO 8601 in UTC with milliseconds: they decide how events are folded. */
  readonly occurredAt: string;
  readonly receivedAt: string;
  /** SHA-256 of the evidence, in hex: so that retention may empty the evidence itself. */
  readonly evidenceHash: string;
  readonly data: string;
  readonly inputs: string;
  readonly postings: string;
}

/** The head before the first link. */
export const GENESIS = '0'.repeat(64);

/** The order in which the fields are hashed: docs/verify-chain.py has the same list. */
const FIELDS = [
  'seq',
  'id',
  'source',
  'type',
  'subject',
  'network',
  'outcome',
  'reason',
  'contenthash',
  'occurredAt',
  'receivedAt',
  'evidenceHash',
  'data',
  'inputs',
  'postings',
] as const satisfies readonly (keyof Link)[];

/**
 * SHA-256 over the head before and the fields of the link, each preceded by its length in bytes as 32
 * bits, big-endian: no two different links have the same bytes. The time of booking is not in it, so a
 * rebuild arrives at the same head.
 */
export function nextHash(head: string, link: Link): string {
  const texts = FIELDS.map((field) => String(link[field] ?? ''));
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + size, 32));
  let at = bytes.write(head, 'hex');
  for (const [index, text] of texts.entries()) {
    at = bytes.writeUInt32BE(sizes[index] ?? 0, at);
    at += bytes.write(text, at);
  }
  return hash('sha256', bytes, 'hex');
}
