export interface Decimal {
  /** In 10⁻¹⁸. */
  readonly value: bigint;
  /** Canonical: no trailing zeros. */
  readonly text: string;
}

const DECIMAL = /^(-?)(\d{1,38})(?:\.(\d{1,18}))?$/;
const UNIT = 10n ** 18n;

/** A DECIMAL as the database gives it. Unlike a partner's amount it may have any size: sums grow. */
export function fromDecimal(written: string): Decimal | null {
  const match = DECIMAL.exec(written);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = ''] = match;
  const magnitude = BigInt(whole + fraction.padEnd(18, '0'));
  const value = sign === '-' ? -magnitude : magnitude;
  return { value, text: toDecimal(value) };
}

export function toDecimal(value: bigint): string {
  const magnitude = value < 0n ? -value : value;
  const fraction = (magnitude % UNIT).toString().padStart(18, '0').replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${magnitude / UNIT}${fraction === '' ? '' : `.${fraction}`}`;
}
