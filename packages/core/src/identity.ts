import { hash } from 'node:crypto';
import type { EventType, SourceName } from './event.ts';
import type { Money } from './money.ts';

/**
 * `<source>.<type>.<40 hex>`: safe in URLs, job ids and ascii_bin keys. The parts are the business
 * identity, as the partner wrote them, and never a hash of a payload (except for what makes no sense).
 */
export function eventId(source: SourceName, type: EventType, parts: readonly string[]): string {
  return `${source}.${type}.${sha256(JSON.stringify(parts)).slice(0, 40)}`;
}

export interface Content {
  readonly type: EventType;
  readonly subject: string;
  /** The gross amount in canonical text. */
  readonly money: Money | null;
  readonly reference: string | null;
}

/**
 * What must be equal for two deliveries of one id to be the same event. Raw bytes, request dates and
 * fees are not in it: a redelivery or a statement line may differ there.
 */
export function contentHash({ type, subject, money, reference }: Content): string {
  return sha256(
    JSON.stringify([type, subject, money?.asset ?? '', money?.amount ?? '', reference ?? '']),
  );
}

export interface Queued {
  readonly id: string;
  readonly contenthash: string;
  readonly data?: object;
}

/**
 * The queue swallows plain repeats by this id, and never hides "same id, other content"; nor a signed
 * message that brings a known event: the ledger must learn which event that message belongs to.
 */
export function jobId({ id, contenthash, data }: Queued): string {
  const plain = `${id}.${contenthash.slice(0, 16)}`;
  const message = data !== undefined && 'messageId' in data ? data.messageId : undefined;
  return typeof message === 'string' ? `${plain}.${sha256(message).slice(0, 16)}` : plain;
}

export function sha256(data: string | Buffer): string {
  return hash('sha256', data, 'hex');
}
