import { isRecord, textAt } from '@kopeck/core/json';
import { bytesAt, linksIn, requiredText, snapshotOf, usageOf, type Fields } from '../answers.ts';
import { PanelError, type PanelRef, type PanelSnapshot, type VpnPanel } from '../port.ts';
import type { Send } from '../request.ts';
import { createClient, type Client } from './client.ts';
import type { RemnawaveConfig } from './config.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * `externalId` is the uuid (2.x), the number (3.x) or the username, `subscriptionId` the short uuid,
 * by which a user is found again after an upgrade to 3.x, which has no uuids any more.
 */
export function remnawavePanel(config: RemnawaveConfig, send: Send): VpnPanel {
  const client = createClient(config, send);
  const { volatile = [] } = config;

  async function snapshotFor(user: Fields, signal: AbortSignal): Promise<PanelSnapshot> {
    const links = await linksOf(client, user, signal);
    const traffic = isRecord(user['userTraffic']) ? user['userTraffic'] : {};
    const expires = new Date(textAt(user, 'expireAt') ?? NaN);
    const usage = usageOf({
      usedBytes: bytesAt(traffic, 'usedTrafficBytes'),
      limitBytes: bytesAt(user, 'trafficLimitBytes'),
      expiresAt: Number.isNaN(expires.getTime()) ? undefined : expires,
    });
    return snapshotOf(links, { usage, subscriptionUrl: textAt(user, 'subscriptionUrl'), volatile });
  }

  return {
    capabilities: { bulkFetch: false, revoke: 'link+credentials', stableLinks: true },
    async probe(signal) {
      // Nobody's uuid: 2.x does not know him, and 3.x knows no uuids.
      try {
        const found = await client.call(`/api/users/${NOBODY}`, signal);
        return found === null ? '3.x' : '2.x';
      } catch (error) {
        if (error instanceof PanelError && error.kind === 'not_found') return '2.x';
        throw error;
      }
    },
    fetch: async (ref, signal) => snapshotFor(await find(client, ref, signal), signal),
    async reissue(ref, signal) {
      const user = await find(client, ref, signal);
      const renewed = await client.call(`/api/users/${keyOf(user)}/actions/revoke`, signal, {});
      if (renewed === null) throw new PanelError('protocol');
      const newRef = {
        ...ref,
        externalId: keyOf(renewed),
        subscriptionId: requiredText(renewed, 'shortUuid'),
      };
      return { ...(await snapshotFor(renewed, signal)), newRef };
    },
  };
}

async function find(client: Client, ref: PanelRef, signal: AbortSignal): Promise<Fields> {
  const { externalId, subscriptionId } = ref;
  const isKey = UUID.test(externalId) || /^\d+$/.test(externalId);
  const path = isKey ? externalId : `by-username/${encodeURIComponent(externalId)}`;
  const user = await client.call(`/api/users/${path}`, signal);
  if (user !== null) return user;

  // A 400: the id is one of the other generation's.
  if (subscriptionId === undefined) throw new PanelError('not_found');
  const again = await client.call(
    `/api/users/by-short-uuid/${encodeURIComponent(subscriptionId)}`,
    signal,
  );
  if (again === null) throw new PanelError('protocol');
  return again;
}

/** 3.x tells of a user's own keys; of 2.x the page of the subscription is asked. */
async function linksOf(
  client: Client,
  user: Fields,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (textAt(user, 'uuid') === null) {
    const keys = await client.call(`/api/subscriptions/connection-keys/${keyOf(user)}`, signal);
    return linksIn(keys?.['enabledKeys']);
  }
  const short = encodeURIComponent(requiredText(user, 'shortUuid'));
  const info = await client.call(`/api/sub/${short}/info`, signal);
  if (info?.['isFound'] === false) throw new PanelError('not_found');
  return linksIn(info?.['links']);
}

function keyOf(user: Fields): string {
  return textAt(user, 'uuid') ?? requiredText(user, 'id');
}
