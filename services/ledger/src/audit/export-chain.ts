import type { AuditRow } from './verify.ts';

/** One line of `kopeck export --chain`: what docs/verify-chain.py reads. Amounts as the database has them. */
export function chainLine({ link, hash, postings }: AuditRow): string {
  return JSON.stringify({
    ...link,
    seq: link.seq.toString(),
    hash,
    postings: postings.map(({ subject, account, asset, amount }) => [
      subject,
      account,
      asset,
      amount,
    ]),
  });
}
