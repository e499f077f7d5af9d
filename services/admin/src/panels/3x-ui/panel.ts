import { isRecord, textAt } from '@kopeck/core/json';
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
import { createClient, type Client } from './client.ts';
import type { ThreeXUiConfig } from './config.ts';
import type { Generation } from './door.ts';
import { recordsOf } from './records.ts';
import { renew } from './renew.ts';

const VERSIONS: Readonly<Record<Generation, string>> = {
  cookie: '2.x',
  csrf: '3.0',
  clients: '3.1 or newer',
};

/** `externalId` is the client's e-mail, `subscriptionId` his subId. */
export function threeXUiPanel(config: ThreeXUiConfig, send: Send, now: () => Date): VpnPanel {
  const client = createClient(config, send, now);
  const { volatile = [], subscriptionUrl = defaultUrl(config.url) } = config;
  const addressOf = (subId: string): string => `${subscriptionUrl}/${encodeURIComponent(subId)}`;

  async function snapshot({ subId, usage }: Found, signal: AbortSignal): Promise<PanelSnapshot> {
    const links =
      (await linksOverApi(client, subId, signal)) ?? (await subscription(subId, signal));
    return snapshotOf(links, { usage, subscriptionUrl: addressOf(subId), volatile });
  }

  /** The subscription server has no session, and its own words for what it does not know. */
  async function subscription(subId: string, signal: AbortSignal): Promise<readonly string[]> {
    const url = addressOf(subId);
    const { status, data } = await send({ url, headers: { Accept: 'text/plain' }, signal });
    if (status === 400 || status === 404) throw new PanelError('not_found');
    if (status !== 200) throw new PanelError(kindOfStatus(status));
    return parseSubscription(data);
  }

  return {
    capabilities: { bulkFetch: false, revoke: 'link+credentials', stableLinks: true },
    probe: async (signal) => VERSIONS[await client.enter(signal)],
    async fetch(ref, signal) {
      const found = await find(client, ref, signal);
      try {
        return await snapshot(found, signal);
      } catch (error) {
        if (!isOutdated(error, found, ref)) throw error;
        // The client is there, under another subId than the one that we were told.
        const subId = await subIdOf(client, ref, signal);
        if (subId === found.subId) throw error;
        return snapshot({ ...found, subId }, signal);
      }
    },
    async reissue(ref, signal) {
      const { usage } = await find(client, ref, signal);
      const subId = await renew(client, ref, signal);
      const newRef = { ...ref, subscriptionId: subId };
      return { ...(await snapshot({ subId, usage }, signal)), newRef };
    },
  };
}

interface Found {
  readonly subId: string;
  readonly usage: Usage;
}

/** Some panels answer an unknown subId with an empty list. */
function isOutdated(error: unknown, { subId }: Found, { subscriptionId }: PanelRef): boolean {
  const isKind = error instanceof PanelError && ['not_found', 'empty'].includes(error.kind);
  return isKind && subId === subscriptionId;
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

  const usage = usageOf({
    usedBytes: (bytesAt(obj, 'up') ?? 0n) + (bytesAt(obj, 'down') ?? 0n),
    limitBytes: bytesAt(obj, 'total'),
    expiresAt: timeAt(obj, 'expiryTime', 1),
  });
  return { subId: ref.subscriptionId ?? (await subIdOf(client, ref, signal)), usage };
}

function foundIn(record: Fields, used: string | null): Found {
  const usage = usageOf({
    usedBytes: used !== null && /^\d{1,19}$/.test(used) ? BigInt(used) : undefined,
    limitBytes: bytesAt(record, 'totalGB'), // bytes, whatever it is called
    expiresAt: timeAt(record, 'expiryTime', 1),
  });
  return { subId: requiredText(record, 'subId'), usage };
}

async function subIdOf(client: Client, ref: PanelRef, signal: AbortSignal): Promise<string> {
  const [record] = await recordsOf(client, ref, signal);
  return requiredText(record?.fields ?? {}, 'subId');
}

/** Null: this panel can only be asked through its subscription server. */
async function linksOverApi(
  client: Client,
  subId: string,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  const key = encodeURIComponent(subId);
  const path = (generation: Generation): string =>
    generation === 'clients'
      ? `/panel/api/clients/subLinks/${key}`
      : `/panel/api/inbounds/getSubLinks/${key}`;
  const { obj } = await client.call({ path, isOptional: true }, signal);
  return obj === undefined ? null : linksIn(obj);
}

function defaultUrl(url: string): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}:2096/sub`;
}
