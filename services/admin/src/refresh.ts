import type { Pool, PoolConnection } from 'mysql2/promise';
import { fetchAll, type Fetched, type FetchOptions } from './fetch-all.ts';
import type { PanelErrorKind, PanelSnapshot } from './panels/port.ts';
import {
  endLease,
  findPurchase,
  saveRefreshed,
  takeLease,
  type Purchase,
  type PurchaseServer,
} from './purchases.ts';

export interface ServerResult {
  readonly serverId: string;
  readonly ok: boolean;
  /** How many links are kept for this server now. */
  readonly links: number;
  readonly ms: number;
  readonly error?: PanelErrorKind;
}

export type Failure =
  | 'no_server'
  | 'subscriber_missing'
  | 'panel_auth'
  | 'panel_unreachable'
  | 'panel_timeout'
  | 'panel_protocol';

/** What became of a refresh. Nothing is called a success that did not come from a panel just now. */
export type Refresh =
  | {
      /** Partial: some servers failed, and their old links are kept. */
      readonly result: 'updated' | 'unchanged' | 'partial';
      readonly servers: readonly ServerResult[];
      readonly version: number;
    }
  | {
      /** Stale: no server answered and the old links are kept. Failed: there were none to keep. */
      readonly result: 'stale' | 'failed';
      readonly error: Failure;
      readonly servers: readonly ServerResult[];
    };

export type Refusal = {
  readonly result: 'refused';
  readonly error:
    'purchase_not_found' | 'purchase_inactive' | 'no_subscription' | 'refresh_in_progress';
};

export interface RefreshDeps extends FetchOptions {
  readonly pool: Pool;
}

/** Keeps a note of a refresh in the very transaction that keeps its links. */
export type Note = (tx: PoolConnection, refresh: Refresh) => Promise<void>;

/** Reads a purchase's links anew from all its servers. `operationId`, a UUID, holds the lease. */
export async function refreshPurchase(
  deps: RefreshDeps,
  purchaseId: string,
  operationId: string,
  note?: Note,
): Promise<Refresh | Refusal> {
  const { pool } = deps;
  if (!(await takeLease(pool, purchaseId, operationId)))
    return refuse((await isKnown(pool, purchaseId)) ? 'refresh_in_progress' : 'purchase_not_found');

  try {
    const purchase = await findPurchase(pool, purchaseId);
    if (purchase === null) return refuse('purchase_not_found');
    if (!purchase.isActive) return refuse('purchase_inactive');
    if (purchase.servers.length === 0) return refuse('no_subscription');
    const fetched = await fetchAll(purchase.servers, deps);
    return await conclude(deps, { purchase, fetched, lease: operationId, note });
  } finally {
    await endLease(pool, purchaseId, operationId);
  }
}

async function isKnown(pool: Pool, purchaseId: string): Promise<boolean> {
  return (await findPurchase(pool, purchaseId)) !== null;
}

interface Round {
  readonly purchase: Purchase;
  readonly fetched: readonly Fetched[];
  readonly lease: string;
  readonly note: Note | undefined;
}

async function conclude({ pool, now }: RefreshDeps, round: Round): Promise<Refresh> {
  const { purchase, fetched, lease, note } = round;
  const servers = purchase.servers.map((server, index) => resultOf(server, fetched[index]));
  const snapshots = snapshotsOf(fetched);
  if (snapshots.size === 0) {
    const isCached = purchase.servers.some(({ links }) => links > 0);
    return { result: isCached ? 'stale' : 'failed', error: worstOf(servers), servers };
  }

  const changed = purchase.servers
    .filter(({ serverId, fingerprint }) => {
      const snapshot = snapshots.get(serverId);
      return snapshot !== undefined && snapshot.fingerprint !== fingerprint;
    })
    .map(({ serverId }) => serverId);
  const saved = { id: purchase.id, lease, at: now(), snapshots, changed };
  const isPartial = snapshots.size < purchase.servers.length;
  const result = isPartial ? 'partial' : changed.length > 0 ? 'updated' : 'unchanged';
  const version = await saveRefreshed(pool, saved, async (tx, newVersion) =>
    note?.(tx, { result, servers, version: newVersion }),
  );
  return { result, servers, version };
}

function snapshotsOf(fetched: readonly Fetched[]): ReadonlyMap<string, PanelSnapshot> {
  return new Map(
    fetched.flatMap(({ serverId, answer }) =>
      typeof answer === 'string' ? [] : [[serverId, answer] as const],
    ),
  );
}

function resultOf(server: PurchaseServer, fetched: Fetched | undefined): ServerResult {
  const { serverId, links } = server;
  const { ms, answer } = fetched ?? { ms: 0, answer: 'timeout' };
  return typeof answer === 'string'
    ? { serverId, ok: false, links, ms, error: answer }
    : { serverId, ok: true, links: answer.links.length, ms };
}

/** What the operator must see to first, first: waiting mends the lower ones. */
const FAILURES: Readonly<Record<PanelErrorKind, Failure>> = {
  not_configured: 'no_server',
  auth: 'panel_auth',
  not_found: 'subscriber_missing',
  empty: 'subscriber_missing',
  protocol: 'panel_protocol',
  tls_untrusted: 'panel_unreachable',
  connection: 'panel_unreachable',
  busy: 'panel_unreachable',
  rate_limited: 'panel_unreachable',
  timeout: 'panel_timeout',
};

function worstOf(servers: readonly ServerResult[]): Failure {
  const kinds = Object.keys(FAILURES) as PanelErrorKind[];
  const worst = kinds.find((kind) => servers.some(({ error }) => error === kind));
  return FAILURES[worst ?? 'timeout'];
}

function refuse(error: Refusal['error']): Refusal {
  return { result: 'refused', error };
}
