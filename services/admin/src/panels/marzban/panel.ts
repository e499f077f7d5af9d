import { textAt } from '@kopeck/core/json';
import {
  bytesAt,
  linksIn,
  requiredText,
  snapshotOf,
  timeAt,
  usageOf,
  type Fields,
} from '../answers.ts';
import type { PanelSnapshot, VpnPanel } from '../port.ts';
import { bodyOf, type Send } from '../request.ts';
import { parseSubscription } from '../subscription.ts';
import { createClient } from './client.ts';
import type { MarzbanConfig } from './config.ts';

/**
 * `externalId` is the username. The panel's API is asked, and not the subscription address, so that
 * the panel's own statistics of clients stay true; PasarGuard lists no links there.
 */
export function marzbanPanel(config: MarzbanConfig, send: Send, now: () => Date): VpnPanel {
  const client = createClient(config, send, now);
  const { url, kind, volatile = [] } = config;

  async function snapshotFor(user: Fields, signal: AbortSignal): Promise<PanelSnapshot> {
    // Without a prefix in the panel's configuration the address is a path alone.
    const subscriptionUrl = new URL(requiredText(user, 'subscription_url'), url).href;
    const links =
      kind === 'marzban' ? linksIn(user['links']) : await subscription(subscriptionUrl, signal);
    const usage = usageOf({
      usedBytes: bytesAt(user, 'used_traffic'),
      limitBytes: bytesAt(user, 'data_limit'),
      expiresAt: timeAt(user, 'expire', 1_000),
    });
    return snapshotOf(links, { usage, subscriptionUrl, volatile });
  }

  /** By path, and on the panel's own host: the public name of subscriptions may be a stranger's. */
  async function subscription(address: string, signal: AbortSignal): Promise<readonly string[]> {
    const { pathname } = new URL(address);
    const at = `${new URL(url).origin}${pathname}/links_base64`;
    return parseSubscription(
      bodyOf(await send({ url: at, headers: { Accept: 'text/plain' }, signal })),
    );
  }

  const path = (username: string): string => `/api/user/${encodeURIComponent(username)}`;
  return {
    fetch: async ({ externalId }, signal) =>
      snapshotFor(await client.call('GET', path(externalId), signal), signal),
    async reissue(ref, signal) {
      const user = await client.call('POST', `${path(ref.externalId)}/revoke_sub`, signal);
      const snapshot = await snapshotFor(user, signal);
      return {
        ...snapshot,
        newRef: { ...ref, externalId: textAt(user, 'username') ?? ref.externalId },
      };
    },
  };
}
