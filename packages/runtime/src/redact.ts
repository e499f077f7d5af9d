/**
 * What is never written. Secrets that are known are taken out wherever they stand; what is not known is
 * told by its shape, or by the name that it stands under. Ids, hashes, times and amounts stay readable:
 * so a phone number without a plus, and 16 digits that fail a card's checksum, are taken for ids (under
 * names like `phone` and `pan` they go all the same), while one order number of 16 digits in some
 * eighteen passes for a card's and goes.
 */
export type Redactor = (text: string) => string;

const SHAPES: readonly (readonly [RegExp, string])[] = [
  // A Telegram or Crypto Pay token: the id may stay, it tells which bot. In a URL its colon may be escaped.
  [/(\d{4,20})(:|%3A)[A-Za-z0-9_-]{30,}/gi, '$1$2***'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, '$1 ***'],
  [/([/](?:webhook|pay|sub)[/])[^/\s?#"'\\]{16,}/gi, '$1***'],
  [/(\w:\/\/[^/\s:@]*):[^/\s@]+@/g, '$1:***@'],
  [/(?:\+|%2B|\b(?=[78]\s?\())[78][\s(-]*\d{3}[\s)-]*\d{3}[\s-]*\d{2}[\s-]*\d{2}(?!\d)/g, '+7***'],
  // `token=…` of a query; `"signature": "…"` of a body or header, where a word after a colon may be prose.
  [named(`=`, 4), '$1***'],
  [named(`:`, 12), '$1***'],
];

/** Each shape has one of these in it; most texts of a line are ids and words, and have none. */
const HOLDS_A_MARK = /[:=/%+(]|(?:Bearer|Basic)\s/i;

function named(mark: '=' | ':', shortest: number): RegExp {
  const name = '(?:secret|token|passw(?:or)?d|signature|api[-_]?key|authorization)';
  const quote = `\\\\?["']?`;
  const value = `[^\\s"'&,;)}\\]\\\\]{${shortest},}`;
  return new RegExp(`(${name}${quote}\\s?${mark}\\s?${quote})${value}`, 'gi');
}

/** Sixteen digits as they are grouped on a card, or 15 to 19 in a row. */
const CARD = /(?<![A-Za-z0-9])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{15,19})(?![A-Za-z0-9])/g;

/** Each card's number has this in it, and most texts do not. */
const HOLDS_DIGITS = /\d{15}|\d{4}[ -]\d{4}/;

/** Names under which a secret is expected; the value is not even looked at. */
const SECRET_NAME =
  /^(authorization|cookie|set-cookie|pan|cvv|cvc|.*(secret|token|passw(or)?d|signature|api[-_]?key|phone([-_]?number)?|card[-_]?(number|owner|holder)))s?$/i;

/** Shorter ones are words of every line. */
const SHORTEST_SECRET = 6;

export function redactor(secrets: readonly string[]): Redactor {
  // The longer first: a secret inside another one would leave the rest of it standing.
  const known = [...new Set(secrets.filter(isLongEnough).flatMap(spellings))].toSorted(
    (a, b) => b.length - a.length,
  );
  return (text) => {
    let clean = text;
    for (const secret of known) {
      if (clean.includes(secret)) clean = clean.replaceAll(secret, '***');
    }
    if (HOLDS_A_MARK.test(clean)) {
      for (const [shape, replacement] of SHAPES) clean = clean.replace(shape, replacement);
    }
    if (!HOLDS_DIGITS.test(clean)) return clean;
    return clean.replace(CARD, (digits) => (isCard(digits) ? '****' : digits));
  };
}

/** A copy in which no secret is left of a tree of plain records, arrays and values. */
export function redact(value: unknown, clean: Redactor): unknown {
  if (typeof value === 'string') return clean(value);
  if (typeof value === 'number') return redactNumber(value, clean);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => redact(item, clean));
  const redacted: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const isHidden = SECRET_NAME.test(key) && !isNothing(item);
    redacted[clean(key)] = isHidden ? '***' : redact(item, clean);
  }
  return redacted;
}

function isLongEnough(secret: string): boolean {
  return secret.length >= SHORTEST_SECRET;
}

/** As it stands, in a URL, and in JSON. */
function spellings(secret: string): readonly string[] {
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
}

/** That a secret is missing is worth knowing. */
function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function redactNumber(value: number, clean: Redactor): unknown {
  const text = String(value);
  const redacted = clean(text);
  return redacted === text ? value : redacted;
}

/** By the networks' first digits (Amex with 15, all others with 16 or more) and Luhn's checksum. */
function isCard(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '');
  if (!(digits.length === 15 ? /^3[47]/ : /^[2-6]/).test(digits)) return false;
  let sum = 0;
  for (let place = 1; place <= digits.length; place += 1) {
    const value = Number(digits.at(-place)) * (place % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}
