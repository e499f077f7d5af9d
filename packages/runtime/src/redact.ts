/** What is never written, by its shape, wherever it turns up. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // A Telegram or Crypto Pay token: the id may stay, it tells which bot.
  [/(\d{4,}):[A-Za-z0-9_-]{30,}/g, '$1:***'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]+/gi, '$1 ***'],
  [/\/(webhook|pay|sub)\/[A-Za-z0-9_-]{16,}/g, '/$1/***'],
  [/(\w+:\/\/[^/\s:@]*):[^/\s@]+@/g, '$1:***@'],
  [/\+7[\s(-]*\d{3}[\s)-]*\d{3}[\s-]*\d{2}[\s-]*\d{2}/g, '+7***'],
  [/\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b/g, '****'],
];

/** Names under which a secret is expected; the value is not even looked at. */
const SECRET_NAME =
  /^(authorization|cookie|set-cookie|.*(secret|token|password|signature|api[-_]?key)|phone|pan|card(number|owner)?)$/i;

export type Redactor = (text: string) => string;

export function redactor(secrets: readonly string[]): Redactor {
  const known = secrets.filter((secret) => secret.length >= 6);
  return (text) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, '***');
    for (const [shape, replacement] of SHAPES) clean = clean.replace(shape, replacement);
    return clean;
  };
}

/** A copy of the value in which no secret is left. */
export function redact(value: unknown, clean: Redactor): unknown {
  if (typeof value === 'string') return clean(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => redact(item, clean));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET_NAME.test(key) ? '***' : redact(item, clean),
    ]),
  );
}
