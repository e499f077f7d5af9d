import { randomBytes, randomUUID } from 'node:crypto';
import { textAt } from '@kopeck/core/json';
import type { Fields } from '../answers.ts';
import type { PanelRef } from '../port.ts';
import type { Client } from './client.ts';
import { recordsOf, type ClientRecord } from './records.ts';

/**
 * Gives a client another subscription id and other credentials, wherever it is: the panel has no call
 * for that, so its records are read, changed and sent back. Returns the new subscription id.
 */
export async function renew(client: Client, ref: PanelRef, signal: AbortSignal): Promise<string> {
  const subId = randomBytes(8).toString('hex');
  for (const record of await recordsOf(client, ref, signal)) {
    await update(client, record, { ...renewed(record.fields), subId }, signal);
  }
  return subId;
}

function renewed(fields: Fields): Fields {
  const password = textAt(fields, 'password');
  return {
    ...fields,
    ...(textAt(fields, 'id') !== null && { id: randomUUID() }),
    ...(password !== null && { password: otherPassword(password) }),
  };
}

/** The keys of Shadowsocks 2022 are Base64 of 16 or 32 bytes, and nothing else is taken for one. */
function otherPassword(password: string): string {
  const bytes = Buffer.from(password, 'base64');
  const isKey = [16, 32].includes(bytes.length) && bytes.toString('base64') === password;
  return isKey
    ? randomBytes(bytes.length).toString('base64')
    : randomBytes(18).toString('base64url');
}

async function update(
  client: Client,
  { key, inboundId }: ClientRecord,
  fields: Fields,
  signal: AbortSignal,
): Promise<void> {
  const typed = withNumbers(fields);
  const name = encodeURIComponent(key);
  const request =
    inboundId === null
      ? { path: () => `/panel/api/clients/update/${name}`, body: typed }
      : {
          path: () => `/panel/api/inbounds/updateClient/${name}`,
          body: { id: Number(inboundId), settings: JSON.stringify({ clients: [typed] }) },
        };
  await client.call(request, signal);
}

const NUMBERS = ['totalGB', 'expiryTime', 'limitIp', 'tgId', 'reset'];

/** Numbers were read as texts; the panel wants numbers back. */
function withNumbers(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      NUMBERS.includes(key) ? Number(value) : value,
    ]),
  );
}
