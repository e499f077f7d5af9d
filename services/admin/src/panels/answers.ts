import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { fingerprintOf } from './links.ts';
import { PanelError, type PanelSnapshot, type Usage } from './port.ts';

/** What parseJsonText gives of an object: its numbers are texts. */
export type Fields = Record<string, unknown>;

/** Throws PanelError: an error page, a login page or another shape is no answer. */
export function recordIn(body: Buffer): Fields {
  const value = parseJsonText(body);
  if (isRecord(value)) return value;
  throw new PanelError('protocol');
}

export function recordAt(record: Fields, key: string): Fields {
  const value = record[key];
  if (isRecord(value)) return value;
  throw new PanelError('protocol');
}

export function requiredText(record: Fields, key: string): string {
  const value = textAt(record, key);
  if (value !== null) return value;
  throw new PanelError('protocol');
}

const MAX_LINK = 8_192;
const MAX_LINKS = 500;
/** Not http(s): panels list addresses of subscriptions among the links of proxies. */
const PROXY = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\/\S/i;

/** The links of a JSON list. Throws PanelError('empty') where none of them leads to a proxy. */
export function linksIn(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new PanelError('protocol');
  const links = value.filter(
    (link): link is string => typeof link === 'string' && PROXY.test(link),
  );
  if (links.length === 0) throw new PanelError('empty');
  if (links.length > MAX_LINKS || links.some(({ length }) => length > MAX_LINK))
    throw new PanelError('protocol');
  return links;
}

export interface SnapshotOptions {
  readonly usage: Usage;
  readonly subscriptionUrl?: string | null;
  /** Parameters that the panel picks anew at each answer. */
  readonly volatile?: readonly string[];
}

export function snapshotOf(
  links: readonly string[],
  { usage, subscriptionUrl, volatile = [] }: SnapshotOptions,
): PanelSnapshot {
  const fingerprint = fingerprintOf(links, volatile);
  const url = subscriptionUrl ?? null;
  return { links, fingerprint, usage, ...(url !== null && { subscriptionUrl: url }) };
}

/** Whole bytes; nothing for what is missing, and for a limit of 0, which all panels call none. */
export function bytesAt(record: Fields, key: string): bigint | undefined {
  const text = textAt(record, key);
  return text !== null && /^[1-9]\d{0,18}$/.test(text) ? BigInt(text) : undefined;
}

/** A time in seconds or milliseconds; none where it is missing, zero or negative ("from first use"). */
export function timeAt(record: Fields, key: string, unitMs: 1 | 1_000): Date | undefined {
  const text = textAt(record, key);
  return text !== null && /^[1-9]\d{0,14}$/.test(text)
    ? new Date(Number(text) * unitMs)
    : undefined;
}

/** Without the fields that are undefined. */
export function usageOf(usage: { [K in keyof Usage]: Usage[K] | undefined }): Usage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
}
