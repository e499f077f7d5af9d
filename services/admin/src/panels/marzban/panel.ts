import { isRecord, textAt } from '@kopeck/core/json';
import { requiredText } from '../answers.ts';
import { PanelError, type PanelRef, type PanelSnapshot, type VpnPanel } from '../port.ts';
import type { Send } from '../request.ts';
import { createClient, type Client } from './client.ts';
import type { MarzbanConfig } from './config.ts';
import { createSnapshots, type SnapshotFor } from './snapshots.ts';

/**
 * `externalId` is the username. The panel's API is asked, and not the subscription address, so that
 * the panel's own statistics of clients stay true.
 */
export function marzbanPanel(config: MarzbanConfig, send: Send, now: () => Date): VpnPanel {
  const client = createClient(config, send, now);
  const snapshotFor = createSnapshots(config, send);
  // PasarGuard lists no links of anybody.
  const bulkFetch = config.kind === 'marzban';
  const path = (username: string): string => `/api/user/${encodeURIComponent(username)}`;
  return {
    capabilities: { bulkFetch, revoke: 'link+credentials', stableLinks: false },
    probe: async (signal) =>
      requiredText(await client.call('GET', '/api/system', signal), 'version'),
    fetch: async ({ externalId }, signal) =>
      snapshotFor(await client.call('GET', path(externalId), signal), signal),
    ...(bulkFetch && {
      fetchMany: (refs, signal) => fetchMany({ client, snapshotFor }, refs, signal),
    }),
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

async function fetchMany(
  { client, snapshotFor }: { readonly client: Client; readonly snapshotFor: SnapshotFor },
  refs: readonly PanelRef[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PanelSnapshot | PanelError>> {
  const query = new URLSearchParams({ limit: String(refs.length) });
  for (const { externalId } of refs) query.append('username', externalId);
  const { users } = await client.call('GET', `/api/users?${query.toString()}`, signal);
  if (!Array.isArray(users)) throw new PanelError('protocol');

  const byName = new Map(
    users.filter(isRecord).map((user) => [requiredText(user, 'username').toLowerCase(), user]),
  );
  const found = new Map<string, PanelSnapshot | PanelError>();
  for (const { externalId } of refs) {
    const user = byName.get(externalId.toLowerCase());
    if (user !== undefined) found.set(externalId, await orPanelError(snapshotFor(user, signal)));
  }
  return found;
}

async function orPanelError(snapshot: Promise<PanelSnapshot>): Promise<PanelSnapshot | PanelError> {
  try {
    return await snapshot;
  } catch (error) {
    if (error instanceof PanelError) return error;
    throw error;
  }
}
