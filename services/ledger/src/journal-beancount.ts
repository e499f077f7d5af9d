import type { JournalFormat } from './journal.ts';

/** The input language of beancount: every account is opened, and begins with one of five words. */
export const beancount: JournalFormat = {
  head: (accounts) =>
    accounts.map((account) => `1970-01-01 open ${beancountAccount(account)}\n`).join(''),
  transaction: ({ day, seq, eventId, lines }) =>
    [
      `${day} * "${eventId}"`,
      `  seq: ${seq}`,
      ...lines.map(
        ({ account, asset, amount }) =>
          `  ${beancountAccount(account)}  ${amount} ${commodity(asset)}`,
      ),
      '',
    ].join('\n'),
};

/**
 * Where an account of ours stands. What we only remember for others (what users hold, what was issued or
 * is promised) is Equity, so that Assets and Income are money.
 */
const ROOTS: Readonly<Record<string, string>> = {
  provider: 'Assets',
  held: 'Assets',
  fees: 'Expenses',
  sales: 'Income',
  commission: 'Income',
  suspense: 'Liabilities',
};

/** Two accounts stay two, whatever a user's id holds. */
export function beancountAccount(account: string): string {
  const parts = account.split(':');
  return [ROOTS[parts[0] ?? ''] ?? 'Equity', ...parts.map(component)].join(':');
}

/**
 * A part must begin with a capital or a digit and go on with letters, digits and '-'. Ours begin with a
 * small letter, which becomes a capital; what does not begins with 'X-'; any other byte is '--' and two
 * hex digits.
 */
function component(part: string): string {
  const written = part.replace(/[^A-Za-z0-9]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `--${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  if (/^[0-9]/.test(written)) return written;
  return /^[a-z]/.test(written)
    ? written.charAt(0).toUpperCase() + written.slice(1)
    : `X-${written}`;
}

/** A currency must begin with a letter. */
export function commodity(asset: string): string {
  return /^[A-Z]/.test(asset) ? asset : `X.${asset}`;
}
