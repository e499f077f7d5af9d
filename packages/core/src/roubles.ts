/**
 * Inside the SBP parts an amount is a whole number of kopecks; roubles as decimal text are what shops
 * and banks write. Money of events is of money.ts, which takes roubles as text.
 */

/** Eleven digits: more roubles than any one payment moves, and far from the limits of a BIGINT. */
const ROUBLES = /^(0|[1-9]\d{0,10})(?:\.(\d{1,2}))?$/;

/** Reads '100', '100.5' or '100.50'. Null: anything else, a third decimal and an exponent included. */
export function parseRoubles(text: string): bigint | null {
  const match = ROUBLES.exec(text);
  if (match === null) return null;

  const [, whole = '', fraction = ''] = match;
  return BigInt(whole + fraction.padEnd(2, '0'));
}

/** The inverse: '100', '100.5', '100.55'; with two decimals asked for '100.00', '100.50'. */
export function formatRoubles(kopecks: bigint, minDecimals = 0): string {
  const fraction = (kopecks % 100n).toString().padStart(2, '0').replace(/0+$/, '');
  const decimals = fraction.padEnd(minDecimals, '0');
  return `${kopecks / 100n}${decimals === '' ? '' : `.${decimals}`}`;
}
