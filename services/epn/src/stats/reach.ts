import { isRecord, parseJsonText } from '@kopeck/core/json';

/** The API is away, refuses us, or says something else than it should. The message holds no token. */
export class StatsError extends Error {
  override name = 'StatsError' as const;
}

export interface Reached {
  readonly status: number;
  readonly json: unknown;
}

const WITHIN_MS = 20_000;

/** EPN's proxy refuses some usual user agents. */
export const HEADERS = { accept: 'application/json', 'user-agent': 'Kopeck/1.0' };

export async function reach(url: string, init: RequestInit): Promise<Reached> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const json = parseJsonText(Buffer.from(await response.arrayBuffer()));
    return { status: response.status, json };
  } catch {
    // The cause may quote the request, and with it the token.
    throw new StatsError('the statistics API cannot be reached');
  }
}

/** Where the API puts what it says. */
export function attributesOf({ json }: Reached): Record<string, unknown> {
  return recordAt(recordAt(json, 'data'), 'attributes');
}

export function recordAt(value: unknown, key: string): Record<string, unknown> {
  const inner = isRecord(value) ? value[key] : undefined;
  return isRecord(inner) ? inner : {};
}
