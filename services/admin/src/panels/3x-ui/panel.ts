import { randomBytes, randomUUID } from 'node:crypto';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import {
  bytesAt,
  linksIn,
  recordAt,
  requiredText,
  snapshotOf,
  timeAt,
  usageOf,
  type Fields,
} from '../answers.ts';
import {
  PanelError,
  type PanelRef,
  type PanelSnapshot,
  type Usage,
  type VpnPanel,
} from '../port.ts';
import { kindOfStatus, type Send } from '../request.ts';
import { parseSubscription } from '../subscription.ts';
import { createClient, type Client, type Generation } from './client.ts';
import type { ThreeXUiConfig } from './config.ts';

/** `externalId` is the client's e-mail, `subscriptionId` his subId. */
export function threeXUiPanel(config: ThreeXUiConfig, send: Send, now: () => Date): VpnPanel {
  const client = createClient(config, send, now);
  const { volatile = [] } = config;

  async function fetch(ref: PanelRef, signal: AbortSignal): Promise<PanelSnapshot> {
    const found = await find(client, ref, signal);
    const links =
      (await linksOverApi(client, found, signal)) ?? (await subscription(found.subId, signal));
    return snapshotOf(links, { usage: found.usage, subscriptionUrl: null, volatile });
  }

  /** The subscription server has no session, and its own words for what it does not know. */
  async function subscription(subId: string, signal: AbortSignal): Promise<readonly string[]> {
    const url = `${config.subscriptionUrl ?? defaultUrl(config.url)}/${encodeURIComponent(subId)}`;
    const { status, data } = await send({ url, headers: { Accept: 'text/plain' }, signal });
    if (status === 400 || status === 404) throw new PanelError('not_found');
    if (status !== 200) throw new PanelError(kindOfStatus(status));
    return parseSubscription(data);
  }

  return {
    fetch,
    async reissue(ref, signal) {
      const found = await find(client, ref, signal);
      const record = { ...(await recordOf(client, ref, signal)) };
      const renewed = { ...record, subId: randomBytes(8).toString('hex'), id: randomUUID() };
      await update(client, { ref, before: record, renewed }, signal);
      const newRef = { ...ref, subscriptionId: renewed.subId };
      const links =
        (await linksOverApi(client, { ...found, subId: renewed.subId }, signal)) ??
        (await subscription(renewed.subId, signal));
      return { ...snapshotOf(links, { usage: found.usage, volatile }), newRef };
    },
  };
}

interface Found {
  readonly subId: string;
  readonly usage: Usage;
}

async function find(client: Client, ref: PanelRef, signal: AbortSignal): Promise<Found> {
  const email = encodeURIComponent(ref.externalId);
  const path = (generation: Generation): string =>
    generation === 'clients'
      ? `/panel/api/clients/get/${email}`
      : `/panel/api/inbounds/getClientTraffics/${email}`;
  const { generation, obj } = await client.call({ path }, signal);
  if (obj === null) throw new PanelError('not_found');
  if (!isRecord(obj)) throw new PanelError('protocol');
  if (generation === 'clients') return foundIn(recordAt(obj, 'client'), textAt(obj, 'usedTraffic'));

  const down = (bytesAt(obj, 'up') ?? 0n) + (bytesAt(obj, 'down') ?? 0n);
  const usage = usageOf({
    usedBytes: down,
    limitBytes: bytesAt(obj, 'total'),
    expiresAt: timeAt(obj, 'expiryTime', 1),
  });
  const subId = ref.subscriptionId ?? requiredText(await recordOf(client, ref, signal), 'subId');
  return { subId, usage };
}

function foundIn(record: Fields, used: string | null): Found {
  const usage = usageOf({
    usedBytes: used !== null && /^\d{1,19}$/.test(used) ? BigInt(used) : undefined,
    limitBytes: bytesAt(record, 'totalGB'), // bytes, whatever it is called
    expiresAt: timeAt(record, 'expiryTime', 1),
  });
  return { subId: requiredText(record, 'subId'), usage };
}

/** Null: this panel can only be asked through its subscription server. */
async function linksOverApi(
  client: Client,
  { subId }: Found,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  const key = encodeURIComponent(subId);
  const path = (generation: Generation): string =>
    generation === 'clients'
      ? `/panel/api/clients/subLinks/${key}`
      : `/panel/api/inbounds/getSubLinks/${key}`;
  const { obj } = await client.call({ path }, signal);
  return obj === undefined ? null : linksIn(obj);
}

/** The client as the panel keeps it: an update replaces the whole, so all of it must be sent back. */
async function recordOf(client: Client, ref: PanelRef, signal: AbortSignal): Promise<Fields> {
  const { obj } = await client.call({ path: () => '/panel/api/inbounds/list' }, signal);
  if (!Array.isArray(obj)) throw new PanelError('protocol');
  for (const inbound of obj.filter(isRecord)) {
    const found = clientsIn(inbound).find((each) => each['email'] === ref.externalId);
    if (found !== undefined) return { ...found, inboundId: inbound['id'] };
  }
  throw new PanelError('not_found');
}

/** Text in old panels, an object in new ones. */
function clientsIn({ settings }: Fields): readonly Fields[] {
  const value = typeof settings === 'string' ? parseJsonText(Buffer.from(settings)) : settings;
  const clients = isRecord(value) ? value['clients'] : undefined;
  return Array.isArray(clients) ? clients.filter(isRecord) : [];
}

interface Update {
  readonly ref: PanelRef;
  readonly before: Fields;
  readonly renewed: Fields;
}

async function update(
  client: Client,
  { ref, before, renewed }: Update,
  signal: AbortSignal,
): Promise<void> {
  const { inboundId, ...record } = renewed;
  const typed = withNumbers(record);
  const old = { id: Number(inboundId), settings: JSON.stringify({ clients: [typed] }) };
  const { generation } = await client.call({ path: () => '/panel/api/inbounds/list' }, signal);
  const isNew = generation === 'clients';
  const path = isNew
    ? `/panel/api/clients/update/${encodeURIComponent(ref.externalId)}`
    : `/panel/api/inbounds/updateClient/${encodeURIComponent(String(before['id']))}`;
  await client.call({ path: () => path, body: isNew ? typed : old }, signal);
}

const NUMBERS = ['totalGB', 'expiryTime', 'limitIp', 'tgId', 'reset'];

/** Numbers were read as texts; the panel wants numbers back. */
function withNumbers(record: Fields): Fields {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      NUMBERS.includes(key) ? Number(value) : value,
    ]),
  );
}

function defaultUrl(url: string): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}:2096/sub`;
}
