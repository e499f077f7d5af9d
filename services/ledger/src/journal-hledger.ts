import type { JournalFormat } from './journal.ts';

/** The journal format of hledger, which ledger reads, too. */
export const hledger: JournalFormat = {
  head: () => 'decimal-mark .\n',
  transaction: ({ day, seq, eventId, lines }) =>
    [
      `${day} * (${seq}) ${eventId}`,
      ...lines.map(
        ({ account, asset, amount }) =>
          `    ${hledgerAccount(account)}  ${amount} ${commodity(asset)}`,
      ),
      '',
    ].join('\n'),
};

/** A user's id may hold anything; two accounts stay two. */
export function hledgerAccount(account: string): string {
  return account.replace(/[^\p{L}\p{N}:._-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

/** A code with a digit in it must be quoted. */
function commodity(asset: string): string {
  return /^[A-Z]+$/.test(asset) ? asset : `"${asset}"`;
}
