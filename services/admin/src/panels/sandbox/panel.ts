import { snapshotOf } from '../answers.ts';
import { known, type VpnPanel } from '../port.ts';
import type { Send } from '../request.ts';
import { parseSubscription } from '../subscription.ts';
import { createClient } from './client.ts';
import type { SandboxPanelConfig } from './config.ts';

/** The panel of packages/sandbox: a subscription text behind a bearer token. */
export function sandboxPanel(config: SandboxPanelConfig, send: Send): VpnPanel {
  const client = createClient(config, send);
  return {
    capabilities: { bulkFetch: false, revoke: 'none', stableLinks: true },
    async probe(signal) {
      await known(client.subscription({ serverId: 'probe', externalId: 'nobody' }, signal));
      return 'sandbox';
    },
    async fetch(ref, signal) {
      const links = parseSubscription(await client.subscription(ref, signal));
      return snapshotOf(links, { usage: {}, volatile: config.volatile ?? [] });
    },
  };
}
