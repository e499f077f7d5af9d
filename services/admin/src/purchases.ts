import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';
import type { PanelRef, PanelSnapshot, Reissued } from './panels/port.ts';

/** Longer than any refresh may take; the lease of a process that died ends with it. */
const LEASE_SECONDS = 60;

export interface Purchase {
  readonly id: string;
  readonly isActive: boolean;
  readonly servers: readonly PurchaseServer[];
}

export interface PurchaseServer extends PanelRef {
  /** Of the links that are kept for this server; null before the first fetch. */
  readonly fingerprint: string | null;
  /** How many links are kept for this server. */
  readonly links: number;
}

export async function findPurchase(pool: Pool, id: string): Promise<Purchase | null> {
  const [[row]] = await pool.query<RowDataPacket[]>(
    'SELECT is_active FROM purchases WHERE id = ?',
    [id],
  );
  if (row === undefined) return null;

  const [servers] = await pool.query<RowDataPacket[]>(
    `SELECT s.server_id, s.external_id, s.subscription_id, s.fingerprint, COUNT(c.link) AS links
       FROM purchase_servers s
       LEFT JOIN purchase_configs c USING (purchase_id, server_id)
      WHERE s.purchase_id = ?
      GROUP BY s.position, s.server_id, s.external_id, s.subscription_id, s.fingerprint
      ORDER BY s.position, s.server_id`,
    [id],
  );
  return { id, isActive: row['is_active'] === 1, servers: servers.map(serverOf) };
}

/**
 * False: somebody else refreshes it now. By the database's clock, which all copies share. An operation
 * takes its own lease again: its process has died, and it is done once more.
 */
export async function takeLease(pool: Pool, id: string, lease: string): Promise<boolean> {
  const [{ affectedRows }] = await pool.query<ResultSetHeader>(
    `UPDATE purchases
        SET refresh_lease = ?, refresh_lease_until = UTC_TIMESTAMP(3) + INTERVAL ${LEASE_SECONDS} SECOND
      WHERE id = ? AND (refresh_lease_until IS NULL OR refresh_lease_until < UTC_TIMESTAMP(3)
                        OR refresh_lease = ?)`,
    [lease, id, lease],
  );
  return affectedRows === 1;
}

/** Does nothing when the lease is another's by now. */
export async function endLease(pool: Pool, id: string, lease: string): Promise<void> {
  await pool.query(
    `UPDATE purchases SET refresh_lease = NULL, refresh_lease_until = NULL
      WHERE id = ? AND refresh_lease = ?`,
    [id, lease],
  );
}

export interface Refreshed {
  readonly id: string;
  readonly lease: string;
  readonly at: Date;
  /** Of the servers that answered. The links of all others stay as they are. */
  readonly snapshots: ReadonlyMap<string, PanelSnapshot>;
  /** Those of them whose links are other ones than are kept. */
  readonly changed: readonly string[];
}

/**
 * All or nothing, with whatever `also` does, and the lease ends with it; returns the version that is
 * valid now. Throws when the lease has been lost.
 */
export async function saveRefreshed(
  pool: Pool,
  refreshed: Refreshed,
  also: (tx: PoolConnection, version: number) => Promise<void> = async () => undefined,
): Promise<number> {
  const { id, lease, at, snapshots, changed } = refreshed;
  return inTransaction(pool, async (tx) => {
    const [held] = await tx.query<RowDataPacket[]>(
      `SELECT config_version FROM purchases WHERE id = ? AND refresh_lease = ? FOR UPDATE`,
      [id, lease],
    );
    if (held.length === 0)
      throw new Error('the lease of a refresh was lost before it could be saved');

    for (const [serverId, snapshot] of snapshots) {
      if (changed.includes(serverId)) await replaceLinks(tx, id, serverId, snapshot.links);
      await keepSnapshot(tx, { id, serverId, at, snapshot });
    }
    const bump = changed.length > 0 ? 'config_version = config_version + 1,' : '';
    await tx.query(
      `UPDATE purchases
          SET ${bump} refreshed_at = ?, refresh_lease = NULL, refresh_lease_until = NULL
        WHERE id = ?`,
      [at, id],
    );
    const version = Number(held[0]?.['config_version']) + (changed.length > 0 ? 1 : 0);
    await also(tx, version);
    return version;
  });
}

export interface ReissuedPurchase {
  readonly id: string;
  readonly lease: string;
  readonly at: Date;
  readonly reissued: Reissued;
}

/**
 * The new links, the new name of the subscriber and the new address in one transaction: with the old
 * ones nobody gets anywhere any more. Returns the version that is valid now.
 */
export async function saveReissued(pool: Pool, saved: ReissuedPurchase): Promise<number> {
  const { id, lease, at, reissued } = saved;
  const { serverId, externalId, subscriptionId = null } = reissued.newRef;
  const snapshots = new Map([[serverId, reissued]]);
  const refreshed = { id, lease, at, snapshots, changed: [serverId] };
  return saveRefreshed(pool, refreshed, async (tx) => {
    await tx.query(
      `UPDATE purchase_servers SET external_id = ?, subscription_id = ?
        WHERE purchase_id = ? AND server_id = ?`,
      [externalId, subscriptionId, id, serverId],
    );
  });
}

interface Kept {
  readonly id: string;
  readonly serverId: string;
  readonly at: Date;
  readonly snapshot: PanelSnapshot;
}

/**
 * While the links are the same, the first address that a panel told is kept: some tell another one each
 * time, and all of them live until the credentials in the links are changed.
 */
async function keepSnapshot(
  tx: PoolConnection,
  { id, serverId, at, snapshot }: Kept,
): Promise<void> {
  const { fingerprint, usage = {}, subscriptionUrl = null } = snapshot;
  const { usedBytes = null, limitBytes = null, expiresAt = null } = usage;
  await tx.query(
    `UPDATE purchase_servers
        SET subscription_url = IF(fingerprint <=> ?, COALESCE(subscription_url, ?), ?),
            fingerprint = ?, fetched_at = ?, used_bytes = ?, limit_bytes = ?, expires_at = ?
      WHERE purchase_id = ? AND server_id = ?`,
    [
      fingerprint,
      subscriptionUrl,
      subscriptionUrl,
      fingerprint,
      at,
      usedBytes,
      limitBytes,
      expiresAt,
      id,
      serverId,
    ],
  );
}

async function replaceLinks(
  tx: PoolConnection,
  id: string,
  serverId: string,
  links: readonly string[],
): Promise<void> {
  await tx.query('DELETE FROM purchase_configs WHERE purchase_id = ? AND server_id = ?', [
    id,
    serverId,
  ]);
  const rows = links.map(() => '(?, ?, ?, ?)').join(', ');
  const values = links.flatMap((link, position) => [id, serverId, position, link]);
  await tx.query(
    `INSERT INTO purchase_configs (purchase_id, server_id, position, link) VALUES ${rows}`,
    values,
  );
}

function serverOf(row: RowDataPacket): PurchaseServer {
  const subscriptionId: unknown = row['subscription_id'];
  return {
    serverId: String(row['server_id']),
    externalId: String(row['external_id']),
    ...(typeof subscriptionId === 'string' && { subscriptionId }),
    fingerprint: row['fingerprint'] === null ? null : String(row['fingerprint']),
    links: Number(row['links']),
  };
}
