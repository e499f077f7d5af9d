import { createHash } from 'node:crypto';
import { isRecord, parseJsonText } from '@kopeck/core/json';

/**
 * SHA-256 over the canonical links in sorted order. Panels write the traffic that is left into the
 * remark and shuffle what they list: that is no other set of links.
 */
export function fingerprintOf(links: readonly string[], volatile: readonly string[] = []): string {
  const lines = links.map((link) => canonicalLink(link, volatile)).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/**
 * Without the remark and the volatile parameters, the host in lower case, the query sorted. What is no
 * URL stays as it is.
 */
export function canonicalLink(link: string, volatile: readonly string[] = []): string {
  const [body = ''] = link.trim().split('#');
  if (/^vmess:\/\//i.test(body)) return canonicalVmess(body, volatile);

  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^@/?]*@)([^/?]*)([^?]*)(?:\?(.*))?$/is.exec(body);
  if (parts === null) return body;
  const [, scheme = '', user = '', host = '', path = '', query] = parts;
  const sorted = query === undefined ? '' : `?${sortedQuery(query, volatile)}`;
  return `${scheme.toLowerCase()}://${user}${host.toLowerCase()}${path}${sorted}`;
}

function sortedQuery(query: string, volatile: readonly string[]): string {
  const isKept = (pair: string): boolean => !volatile.includes(pair.replace(/=.*/s, ''));
  return query.split('&').filter(isKept).sort().join('&');
}

/** A vmess link is Base64 of JSON, with its remark inside. */
function canonicalVmess(link: string, volatile: readonly string[]): string {
  const fields = parseJsonText(Buffer.from(link.slice('vmess://'.length), 'base64'));
  if (!isRecord(fields)) return link;
  const kept = Object.entries(fields)
    .filter(([key]) => key !== 'ps' && !volatile.includes(key))
    .map(([key, value]) => [key, key === 'add' ? String(value).toLowerCase() : value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `vmess://${JSON.stringify(Object.fromEntries(kept))}`;
}
