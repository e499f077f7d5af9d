const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/**
 * A number that JSON.stringify writes exactly as the decimal text given: `100.00` stays `100.00`, and
 * no digit passes through a float.
 */
export function jsonNumber(decimalText: string): unknown {
  if (!JSON_NUMBER.test(decimalText)) throw new RangeError('not a plain decimal number');
  return rawJSON(decimalText);
}
