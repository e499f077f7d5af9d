import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { recordAt, type Fields } from '../answers.ts';
import { PanelError, type PanelRef } from '../port.ts';
import type { Client } from './client.ts';

/** A client as the panel keeps it: an update replaces the whole, so all of it must be sent back. */
export interface ClientRecord {
  readonly fields: Fields;
  /** By what an update names the client. */
  readonly key: string;
  /** Of old panels, where a client is a part of its inbound; null where it is a thing of its own. */
  readonly inboundId: string | null;
}

/** All of a client: from 3.1 on there is one, before that one in each inbound. Throws PanelError. */
export async function recordsOf(
  client: Client,
  { externalId: email }: PanelRef,
  signal: AbortSignal,
): Promise<readonly ClientRecord[]> {
  const path = (isNew: boolean): string =>
    isNew ? `/panel/api/clients/get/${encodeURIComponent(email)}` : '/panel/api/inbounds/list';
  const { generation, obj } = await client.call(
    { path: (each) => path(each === 'clients') },
    signal,
  );
  if (generation === 'clients') {
    if (!isRecord(obj)) throw new PanelError(obj === null ? 'not_found' : 'protocol');
    return [{ fields: recordAt(obj, 'client'), key: email, inboundId: null }];
  }
  if (!Array.isArray(obj)) throw new PanelError('protocol');
  const found = obj.filter(isRecord).flatMap((inbound) => recordsIn(inbound, email));
  if (found.length === 0) throw new PanelError('not_found');
  return found;
}

function recordsIn(inbound: Fields, email: string): readonly ClientRecord[] {
  const protocol = textAt(inbound, 'protocol') ?? '';
  const inboundId = textAt(inbound, 'id');
  return clientsIn(inbound)
    .filter((fields) => fields['email'] === email)
    .map((fields) => ({ fields, key: keyOf(fields, protocol), inboundId }));
}

/** Text in old panels, an object in new ones. */
function clientsIn({ settings }: Fields): readonly Fields[] {
  const value = typeof settings === 'string' ? parseJsonText(Buffer.from(settings)) : settings;
  const clients = isRecord(value) ? value['clients'] : undefined;
  return Array.isArray(clients) ? clients.filter(isRecord) : [];
}

/** Any other one is answered with "empty client ID". */
const KEYS: Readonly<Record<string, string>> = { trojan: 'password', shadowsocks: 'email' };

function keyOf(fields: Fields, protocol: string): string {
  const key = textAt(fields, KEYS[protocol] ?? 'id');
  if (key === null) throw new PanelError('protocol');
  return key;
}
