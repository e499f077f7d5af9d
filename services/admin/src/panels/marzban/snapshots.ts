import {
  bytesAt,
  linksIn,
  requiredText,
  snapshotOf,
  timeAt,
  usageOf,
  type Fields,
} from '../answers.ts';
import type { PanelSnapshot } from '../port.ts';
import { bodyOf, type Send } from '../request.ts';
import { parseSubscription } from '../subscription.ts';
import type { MarzbanConfig } from './config.ts';

/** What the panel says of a user; PasarGuard lists no links there, and its subscription is asked. */
export type SnapshotFor = (user: Fields, signal: AbortSignal) => Promise<PanelSnapshot>;

export function createSnapshots(config: MarzbanConfig, send: Send): SnapshotFor {
  const { url, kind, volatile = [] } = config;

  /** By path, and on the panel's own host: the public name of subscriptions may be a stranger's. */
  async function subscription(address: string, signal: AbortSignal): Promise<readonly string[]> {
    const { pathname } = new URL(address);
    const at = `${new URL(url).origin}${pathname}/links_base64`;
    return parseSubscription(
      bodyOf(await send({ url: at, headers: { Accept: 'text/plain' }, signal })),
    );
  }

  return async (user, signal) => {
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
  };
}
