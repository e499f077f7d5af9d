import { postingsOf, type AuditRow } from './verify.ts';

/** One line of `kopeck export --chain`: what docs/verify-chain.py reads. */
export function chainLine({ link, hash, postings }: AuditRow): string {
  return JSON.stringify({
    ...link,
    seq: link.seq.toString(),
    hash,
    postings: postingsOf({ postings }),
  });
}
