import type { Delivery } from '@kopeck/core/source';

export interface DeliveryParts {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly receivedAt?: Date;
}

/** A request as a source sees it, without the HTTP around it. */
export function deliveryOf(parts: DeliveryParts): Delivery {
  const headers = { 'content-type': 'application/json', ...parts.headers };
  const byName = new Map(Object.entries(headers));
  return {
    method: parts.method ?? 'POST',
    path: parts.path ?? '/',
    query: parts.query ?? '',
    header: (name) => byName.get(name.toLowerCase()),
    body: parts.body ?? Buffer.alloc(0),
    receivedAt: parts.receivedAt ?? new Date('2026-10-05T12:35:03.000Z'),
  };
}
