import type { PanelRef } from '../port.ts';
import { bodyOf, type Send } from '../request.ts';
import type { SandboxPanelConfig } from './config.ts';

export interface Client {
  readonly subscription: (ref: PanelRef, signal: AbortSignal) => Promise<Buffer>;
}

export function createClient({ url, token }: SandboxPanelConfig, send: Send): Client {
  const headers = { Authorization: `Bearer ${token}`, Accept: 'text/plain' };
  return {
    async subscription({ serverId, externalId }, signal) {
      const path = [serverId, 'sub', externalId].map(encodeURIComponent).join('/');
      return bodyOf(await send({ url: `${url}/${path}`, headers, signal }));
    },
  };
}
