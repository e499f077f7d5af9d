import { isRecord, parseJsonText } from '@kopeck/core/json';
import type { Delivery } from '@kopeck/core/source';

/** By name, as the network wrote them. Null: it came, and cannot be read as text. */
export type Parameters = ReadonlyMap<string, string | null>;

export interface ReadParameters {
  readonly values: Parameters;
  /** Names that came more than once, of which the last one counts. */
  readonly repeated: readonly string[];
}

type Pair = readonly [name: string, value: string | null];

/**
 * Reads the query and then the body (a form or JSON): of a name that comes twice, the last one counts.
 * One unreadable value does not spoil the others, because most of them are not needed to book the money.
 * Null: the body is no JSON object.
 */
export function readParameters({ query, body, method, header }: Delivery): ReadParameters | null {
  const fromQuery = pairsOf(query);
  if (method !== 'POST' || body.length === 0) return gathered(fromQuery);

  const isJson = /^application\/json\b/i.test(header('content-type') ?? '');
  const fromBody = isJson ? jsonPairs(parseJsonText(body)) : pairsOf(body.toString('latin1'));
  return fromBody === null ? null : gathered([...fromQuery, ...fromBody]);
}

/** A query that was kept as text, or fields that were kept as an object. Null: neither. */
export function wrappedParameters(value: unknown): ReadParameters | null {
  if (typeof value === 'string') {
    return gathered(pairsOf(Buffer.from(value.replace(/^\?/, '')).toString('latin1')));
  }
  const pairs = jsonPairs(value);
  return pairs === null ? null : gathered(pairs);
}

/** The text of a parameter; null where it is absent, blank or unreadable. */
export function textOf(parameters: Parameters, name: string): string | null {
  const text = parameters.get(name) ?? '';
  return text.trim() === '' ? null : text;
}

/** A macro that the network did not replace: `{click_id}`, or `[[[subid]]]`. */
export function isLiteralMacro(text: string): boolean {
  return /^(?:\{.*\}|\[\[\[?.*\]\]\]?)$/s.test(text.trim());
}

function gathered(pairs: readonly Pair[]): ReadParameters {
  const values = new Map<string, string | null>();
  const repeated = new Set<string>();
  for (const [name, value] of pairs) {
    if (values.has(name)) repeated.add(name);
    values.set(name, value);
  }
  return { values, repeated: [...repeated] };
}

/** `latin1`: one character for each byte. A query has ASCII only: Node refuses others on its own. */
function pairsOf(latin1: string): readonly Pair[] {
  const pairs: Pair[] = [];
  for (const pair of latin1.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = at === -1 ? pair : pair.slice(0, at);
    pairs.push([decode(name) ?? '', at === -1 ? '' : decode(pair.slice(at + 1))]);
  }
  return pairs;
}

/** Most values: there is nothing to decode. */
const PLAIN = /^[A-Za-z0-9_.:-]*$/;

/** Strict, where URLSearchParams would put � for bytes that are not UTF-8 and so merge two ids into one. */
function decode(latin1: string): string | null {
  if (PLAIN.test(latin1)) return latin1;
  const escaped = latin1
    .replaceAll('+', ' ')
    .replace(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
  try {
    return readable(decodeURIComponent(escaped));
  } catch {
    return null;
  }
}

/** Numbers keep the text the network wrote. JSON's null is an absent value; what nests is no text. */
function jsonPairs(record: unknown): readonly Pair[] | null {
  if (!isRecord(record)) return null;
  return Object.entries(record)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, scalar(value)]);
}

function scalar(value: unknown): string | null {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? readable(value) : null;
}

/** No id holds a control character, and half a surrogate pair would change on its way to a database. */
function readable(text: string): string | null {
  return /\p{Cc}/u.test(text) || !text.isWellFormed() ? null : text;
}
