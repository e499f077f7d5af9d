import { deflateSync } from 'node:zlib';
import type { KopeckEvent } from '@kopeck/core/event';
import { sha256 } from '@kopeck/core/identity';

/** What the books keep of an event whatever is decided about it. */
export interface Kept {
  readonly data: string;
  /** SHA-256 in hex. */
  readonly evidenceHash: string;
  /** Compressed; null: there is none. */
  readonly evidence: Buffer | null;
}

const made = new WeakMap<KopeckEvent, Kept>();

/**
 * Made once for an event. The batcher asks for it while the batch before is in the database, so that the
 * booking, which holds the head of the chain, need not wait for it.
 */
export function keptOf(event: KopeckEvent): Kept {
  const before = made.get(event);
  if (before !== undefined) return before;
  const { data, evidence } = event;
  const kept = {
    data: JSON.stringify(data),
    evidenceHash: sha256(evidence),
    evidence: evidence === '' ? null : deflateSync(evidence, COMPRESSION),
  };
  made.set(event, kept);
  return kept;
}

/** A request is about a kilobyte: more effort or memory hardly make it smaller, and cost more than the packing. */
const COMPRESSION = { level: 1, chunkSize: 2_048, windowBits: 13, memLevel: 5 } as const;
