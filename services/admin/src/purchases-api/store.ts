import { randomBytes } from 'node:crypto';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { inTransaction, isDuplicateKey } from '@kopeck/runtime/database';
import type { PanelRef } from '../panels/port.ts';
import type { PurchaseChange, PurchaseInput } from './schema.ts';

/** Of /sub/{token}: 128 random bits, since whoever has it has the configs. */
const TOKEN_BYTES = 16;

/** Null: there is one of this id already. */
export async function insertPurchase(
  tx: PoolConnection,
  input: PurchaseInput,
): Promise<string | null> {
  const { user = null, isActive, expiresAt = null, servers } = input;
  const id = input.id ?? (await nextId(tx));
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  try {
    await tx.query(
      `INSERT INTO purchases (id, token, user_id, is_active, expires_at, created_at)
       VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
      [id, token, user, isActive, expiresAt],
    );
  } catch (error) {
    if (isDuplicateKey(error)) return null;
    throw error;
  }
  await putServers(tx, id, servers);
  return id;
}

/** Locks the end of the table: two that ask at once get two numbers. */
async function nextId(tx: PoolConnection): Promise<string> {
  const [[row]] = await tx.query<RowDataPacket[]>(
    'SELECT COALESCE(MAX(id), 0) + 1 AS id FROM purchases FOR UPDATE',
  );
  return String(row?.['id']);
}

/** False: no such purchase. Servers that stay keep their links; the others go with theirs. */
export async function changePurchase(
  pool: Pool,
  id: string,
  change: PurchaseChange,
): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const [[row]] = await tx.query<RowDataPacket[]>(
      'SELECT is_active, user_id, expires_at FROM purchases WHERE id = ? FOR UPDATE',
      [id],
    );
    if (row === undefined) return false;
    const {
      isActive = row['is_active'],
      user = row['user_id'],
      expiresAt = row['expires_at'],
    } = change;
    await tx.query('UPDATE purchases SET is_active = ?, user_id = ?, expires_at = ? WHERE id = ?', [
      isActive,
      user,
      expiresAt,
      id,
    ]);
    if (change.servers !== undefined) await putServers(tx, id, change.servers);
    return true;
  });
}

async function putServers(
  tx: PoolConnection,
  id: string,
  servers: readonly PanelRef[],
): Promise<void> {
  const kept = servers.map(({ serverId }) => serverId);
  await tx.query('DELETE FROM purchase_servers WHERE purchase_id = ? AND server_id NOT IN (?)', [
    id,
    kept.length > 0 ? kept : [''],
  ]);
  for (const [position, { serverId, externalId, subscriptionId = null }] of servers.entries()) {
    await tx.query(
      `INSERT INTO purchase_servers (purchase_id, server_id, position, external_id, subscription_id)
       VALUES (?, ?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE position = VALUES(position), external_id = VALUES(external_id),
         subscription_id = VALUES(subscription_id)`,
      [id, serverId, position, externalId, subscriptionId],
    );
  }
}

export interface Imported {
  readonly created: number;
  /** Those that were there already, and stay as they were. */
  readonly existing: number;
}

/** All or nothing. Imported twice, it is imported once. */
export async function importPurchases(
  pool: Pool,
  purchases: readonly PurchaseInput[],
): Promise<Imported> {
  return inTransaction(pool, async (tx) => {
    let created = 0;
    for (const purchase of purchases) {
      if ((await insertPurchase(tx, purchase)) !== null) created += 1;
    }
    return { created, existing: purchases.length - created };
  });
}

/** As the API tells it: the path of the subscription holds its secret. */
export interface PurchaseView {
  readonly id: string;
  readonly user: string | null;
  readonly isActive: boolean;
  readonly expiresAt: string | null;
  readonly refreshedAt: string | null;
  readonly version: number;
  readonly subscription: string;
  readonly servers: readonly object[];
}

export async function findPurchaseView(pool: Pool, id: string): Promise<PurchaseView | null> {
  const [view] = await purchaseViews(pool, 'p.id = ?', [id]);
  return view ?? null;
}

/** In the order of their ids, those after a given one. */
export function listPurchaseViews(
  pool: Pool,
  after: string,
  limit: number,
): Promise<readonly PurchaseView[]> {
  return purchaseViews(pool, 'p.id > ? ORDER BY p.id LIMIT ?', [after, limit]);
}

async function purchaseViews(
  pool: Pool,
  where: string,
  values: readonly unknown[],
): Promise<readonly PurchaseView[]> {
  const [rows] = await pool.query<RowDataPacket[]>(`SELECT p.* FROM purchases p WHERE ${where}`, [
    ...values,
  ]);
  if (rows.length === 0) return [];
  const [servers] = await pool.query<RowDataPacket[]>(
    `SELECT s.*, (SELECT COUNT(*) FROM purchase_configs c
                   WHERE c.purchase_id = s.purchase_id AND c.server_id = s.server_id) AS links
       FROM purchase_servers s WHERE s.purchase_id IN (?) ORDER BY s.position, s.server_id`,
    [rows.map((row) => row['id'] as string)],
  );
  const byPurchase = Map.groupBy(servers, (row) => String(row['purchase_id']));
  return rows.map((row) => viewOf(row, byPurchase.get(String(row['id'])) ?? []));
}

function viewOf(row: RowDataPacket, servers: readonly RowDataPacket[]): PurchaseView {
  return {
    id: String(row['id']),
    user: row['user_id'] as string | null,
    isActive: row['is_active'] === 1,
    expiresAt: isoOf(row['expires_at']),
    refreshedAt: isoOf(row['refreshed_at']),
    version: Number(row['config_version']),
    subscription: `/sub/${String(row['token'])}`,
    servers: servers.map((server) => ({
      serverId: String(server['server_id']),
      externalId: String(server['external_id']),
      subscriptionId: server['subscription_id'] as string | null,
      links: Number(server['links']),
      fetchedAt: isoOf(server['fetched_at']),
    })),
  };
}

function isoOf(value: unknown): string | null {
  return value instanceof Date ? value.toISOString() : null;
}
