import { isRecord, parseJsonText } from '@kopeck/core/json';

/**
 * A callback's fields, named in small beginnings whatever the provider writes: some have changed from
 * PascalCase to camelCase overnight, and a payment is not missed over that. Null: no JSON object.
 */
export function callbackFields(body: Buffer): Record<string, unknown> | null {
  const json = parseJsonText(body);
  return isRecord(json) ? uncapitalised(json) : null;
}

export function uncapitalised(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      value,
    ]),
  );
}
