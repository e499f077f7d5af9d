const UTF8 = new TextDecoder('utf-8', { fatal: true });

type Reviver = (
  this: unknown,
  key: string,
  value: unknown,
  context: { source?: string },
) => unknown;

/** The standard library's type does not know the third argument of a reviver yet. */
const parseJson = JSON.parse as (text: string, reviver: Reviver) => unknown;

/**
 * Reads JSON and keeps every number as the text the sender wrote: ids above 2⁵³ survive, `1.50` stays
 * `1.50`, and 12345 and "12345" become the same. Undefined: not UTF-8, or not JSON.
 */
export function parseJsonText(bytes: Buffer): unknown {
  try {
    return parseJson(UTF8.decode(bytes), (_key, value, { source }) =>
      typeof value === 'number' ? (source ?? String(value)) : value,
    );
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text under a key of what parseJsonText gave (numbers are texts there), or null. */
export function textAt(record: Record<string, unknown>, key: string): string | null {
  const value = Object.hasOwn(record, key) ? record[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : null;
}
