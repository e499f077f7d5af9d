/**
 * Money is decimal text with an asset code outside, and a BigInt of 10⁻¹⁸ inside. There is no table of
 * currencies: a fee may have ten decimals and a new coin appears overnight. No float ever touches it.
 */

/** A whole number of 10⁻¹⁸ of the asset. */
export type Amount = bigint;

export interface Money {
  readonly asset: string;
  /** Canonical decimal text: no trailing zeros, no plus, no exponent. */
  readonly amount: string;
}

const DECIMALS = 18;
const UNIT = 10n ** BigInt(DECIMALS);

/** Fifteen whole digits leave DECIMAL(38,18) room for the sum of 100,000 of the largest amounts. */
const DECIMAL_TEXT = /^(-?)(\d{1,15})(?:\.(\d{1,18}))?$/;
const ASSET = /^[A-Z0-9]{2,16}$/;

/** Assets that Kopeck issues itself. A partner's event that carries one goes to review. */
export const ISSUED_ASSETS: readonly string[] = ['NDN'];

/** Reads '1234.50'. Null: not plain decimal text, finer than 10⁻¹⁸, or above 10¹⁵. */
export function parseAmount(text: string): Amount | null {
  const match = DECIMAL_TEXT.exec(text);
  if (match === null) return null;

  const [, sign = '', whole = '', fraction = ''] = match;
  const magnitude = BigInt(whole + fraction.padEnd(DECIMALS, '0'));
  return sign === '-' ? -magnitude : magnitude;
}

/** The inverse of parseAmount, in canonical form: '1234.5', '-0.01', '0'. */
export function formatAmount(amount: Amount): string {
  const magnitude = amount < 0n ? -amount : amount;
  const sign = amount < 0n ? '-' : '';
  const rest = magnitude % UNIT;
  if (rest === 0n) return `${sign}${magnitude / UNIT}`;
  const fraction = rest.toString().padStart(DECIMALS, '0').replace(/0+$/, '');
  return `${sign}${magnitude / UNIT}.${fraction}`;
}

/** '100.00' → '100', so that one amount has one spelling in hashes. Null as in parseAmount. */
export function canonicalAmount(text: string): string | null {
  const match = DECIMAL_TEXT.exec(text);
  if (match === null) return null;

  const [, sign = '', digits = '', decimals = ''] = match;
  const whole = digits.replace(/^0+(?=.)/, '');
  const fraction = decimals.replace(/0+$/, '');
  const magnitude = fraction === '' ? whole : `${whole}.${fraction}`;
  return magnitude === '0' ? '0' : sign + magnitude;
}

/** Null: the asset code or the amount makes no sense, or the amount is not above zero. */
export function parseMoney(asset: string, text: string): Money | null {
  const amount = parseAmount(text);
  if (amount === null || amount <= 0n || !isAsset(asset)) return null;
  return { asset, amount: formatAmount(amount) };
}

export function isAsset(code: string): boolean {
  return ASSET.test(code);
}

/** Text that is known to be canonical, because it came out of this module. Throws otherwise. */
export function amountOf(canonicalText: string): Amount {
  const amount = parseAmount(canonicalText);
  if (amount === null) throw new RangeError('not canonical decimal text');
  return amount;
}

/** a × b, both 10⁻¹⁸, rounded towards zero. */
export function multiply(a: Amount, b: Amount): Amount {
  return (a * b) / UNIT;
}

/** Rounds towards zero to the given number of decimals: (1.239, 2) → 1.23. */
export function truncate(amount: Amount, decimals: number): Amount {
  const step = 10n ** BigInt(DECIMALS - decimals);
  return (amount / step) * step;
}
