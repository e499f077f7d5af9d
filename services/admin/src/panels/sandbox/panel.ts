import { fingerprintOf } from '../links.ts';
import type { VpnPanel } from '../port.ts';
import { getFromPanel } from '../request.ts';
import { parseSubscription } from '../subscription.ts';
import type { SandboxPanelConfig } from './config.ts';

/** The panel of packages/sandbox: a subscription text behind a bearer token. */
export function sandboxPanel({ url, token }: SandboxPanelConfig): VpnPanel {
  return {
    async fetch({ serverId, externalId }, signal) {
      const path = [serverId, 'sub', externalId].map(encodeURIComponent).join('/');
      const headers = { Authorization: `Bearer ${token}`, Accept: 'text/plain' };
      const body = await getFromPanel(`${url}/${path}`, headers, signal);
      const links = parseSubscription(body);
      return { links, fingerprint: fingerprintOf(links) };
    },
  };
}
