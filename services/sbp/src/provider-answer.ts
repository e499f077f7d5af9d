import { isRecord, textAt } from '@kopeck/core/json';
import { parseNspkLink } from '@kopeck/core/nspk';
import { parseRoubles } from '@kopeck/core/roubles';
import { ProviderError, type Qr } from './provider.ts';

/** What every provider's answers are read with: tolerant of what is new, strict in what is used. */

type Json = Readonly<Record<string, unknown>>;

const PLAUSIBLE_ID = /^[A-Za-z0-9-]{1,64}$/;
const PLAUSIBLE_LINK = /^https:\/\/[!-~]{1,1000}$/;

/** Throws when the id or the link is none: such an answer may be of a code that was made. */
export function qrOf(
  provider: string,
  { paymentId, link }: { paymentId: string | null; link: string | null },
): Qr {
  const isPlausible = PLAUSIBLE_ID.test(paymentId ?? '') && PLAUSIBLE_LINK.test(link ?? '');
  if (paymentId === null || link === null || !isPlausible) throw unreadable(provider);
  return { paymentId, qrcId: parseNspkLink(link)?.qrcId ?? null, link };
}

export function isPlausibleId(id: string | null): id is string {
  return id !== null && PLAUSIBLE_ID.test(id);
}

/** The record under a key; an empty one when there is none. */
export function recordAt(json: Json, key: string): Record<string, unknown> {
  const value = Object.hasOwn(json, key) ? json[key] : undefined;
  return isRecord(value) ? value : {};
}

/** The records of a list under a key. */
export function recordsAt(json: Json, key: string): readonly Record<string, unknown>[] {
  const value = Object.hasOwn(json, key) ? json[key] : undefined;
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function dateAt(json: Record<string, unknown>, key: string): Date | null {
  const date = new Date(textAt(json, key) ?? '');
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Kopecks of `{"value": "100.00", "currency": "RUB"}`. Throws when it is none. */
export function kopecksOf(
  provider: string,
  { value, currency }: { value: string | null; currency: string | null },
): bigint {
  const kopecks = parseRoubles(value ?? '');
  if (kopecks === null || currency !== 'RUB') throw unreadable(provider);
  return kopecks;
}

/** What a table says of a word; words that are not in it say nothing. */
export function wordIn<T>(table: Readonly<Record<string, T>>, word: string | null): T | null {
  return word !== null && Object.hasOwn(table, word) ? (table[word] ?? null) : null;
}

export function unreadable(provider: string): ProviderError {
  return new ProviderError('unknown', `${provider} gave an answer that cannot be read`);
}

/** At most so many characters, none of them cut in two. */
export function beginning(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}
