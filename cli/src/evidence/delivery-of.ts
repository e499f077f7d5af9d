import type { KopeckEvent } from '@kopeck/core/event';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import type { Delivery } from '@kopeck/core/source';

/** The request as evidence keeps it. Null: the evidence is of another kind. */
export function deliveryOf({ evidence, receivedat }: KopeckEvent): Delivery | null {
  const kept = parseJsonText(Buffer.from(evidence));
  if (!isRecord(kept)) return null;
  const [method, body] = [textAt(kept, 'method'), kept['body']];
  if (method === null || typeof body !== 'string') return null;
  const headers = isRecord(kept['headers']) ? kept['headers'] : {};
  return {
    method,
    path: '',
    query: textAt(kept, 'query') ?? '',
    header: (name) => textAt(headers, name.toLowerCase()) ?? undefined,
    body: Buffer.from(body, 'base64'),
    receivedAt: new Date(receivedat),
  };
}
