import { sha256 } from './identity.ts';
import type { Delivery } from './source.ts';

/** What came, as JSON text. The path is left out: it may hold a token. */
export function evidenceOf(delivery: Delivery, headerNames: readonly string[]): string {
  const headers: Record<string, string> = {};
  for (const name of ['content-type', 'user-agent', ...headerNames]) {
    const value = delivery.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const { method, query } = delivery;
  return JSON.stringify({ method, query, headers, body: delivery.body.toString('base64') });
}

/** SHA-256 of the raw bytes: the only identity of a body that makes no sense. */
export function rawHash({ query, body }: Delivery): string {
  if (query === '') return sha256(body);
  if (body.length === 0) return sha256(query);
  return sha256(Buffer.concat([Buffer.from(`${query}\n`), body]));
}
