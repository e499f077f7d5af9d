import { isRecord } from '@kopeck/core/json';

/** What a person needs to find an event elsewhere, and nothing that somebody has paid, said or signed. */
const SHOWN = ['id', 'source', 'type', 'time', 'receivedat', 'network', 'contenthash'];
const SHOWN_OF_INCIDENTS = ['service', 'instance', 'kind', 'state', 'at'];

/** `data` of an event or an incident as a board may show it. */
export function masked(data: unknown): unknown {
  if (!isRecord(data)) return data === null || data === undefined ? data : '***';
  const shown = new Set([...SHOWN, ...SHOWN_OF_INCIDENTS]);
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, shown.has(key) ? value : '***']),
  );
}
