import { randomBytes } from 'node:crypto';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { inTransaction, isDuplicateKey } from '@kopeck/runtime/database';
import type { PanelRef } from '../panels/port.ts';
import type { PurchaseChange, PurchaseInput } from './schema.ts';

/** Of /sub/{token}: 128 random bits, since whoever has it has the configs. */
const TOKEN_BYTES = 16;

/** Null: there is one of this id, or of this user and plan, already. */
export async function insertPurchase(
  tx: PoolConnection,
  input: PurchaseInput & { readonly plan?: string },
): Promise<string | null> {
  const { user = null, plan = null, isActive, expiresAt = null, servers } = input;
  const id = input.id ?? (await nextId(tx));
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  try {
    await tx.query(
      `INSERT INTO purchases (id, token, user_id, plan, is_active, expires_at, created_at)
       VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
      [id, token, user, plan, isActive, expiresAt],
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

export type Changed = 'changed' | 'unknown' | 'taken';

/**
 * Servers that stay keep their links; the others go with theirs. Taken: that user has another purchase
 * of the same plan.
 */
export async function changePurchase(
  pool: Pool,
  id: string,
  change: PurchaseChange,
): Promise<Changed> {
  try {
    return await inTransaction(pool, (tx) => changeIn(tx, id, change));
  } catch (error) {
    if (isDuplicateKey(error)) return 'taken';
    throw error;
  }
}

async function changeIn(
  tx: PoolConnection,
  id: string,
  change: PurchaseChange,
): Promise<'changed' | 'unknown'> {
  const [[row]] = await tx.query<RowDataPacket[]>(
    'SELECT is_active, user_id, expires_at FROM purchases WHERE id = ? FOR UPDATE',
    [id],
  );
  if (row === undefined) return 'unknown';
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
  return 'changed';
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
