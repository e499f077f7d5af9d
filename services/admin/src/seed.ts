import { randomBytes } from 'node:crypto';
import type { Pool, PoolConnection } from 'mysql2/promise';
import { inTransaction, isDuplicateKey } from '@kopeck/runtime/database';
import type { PanelRef } from './panels/port.ts';

export interface NewPurchase {
  /** A positive whole number. */
  readonly id: string;
  /** Where it lives; their order is the order of its links. */
  readonly servers: readonly PanelRef[];
  readonly isActive?: boolean;
}

/** Of /sub/{token}: 128 random bits, since whoever has it has the configs. */
const TOKEN_BYTES = 16;

/** Makes the purchase unless there is one of this id, which is then left as it is. True: made. */
export async function seedPurchase(pool: Pool, purchase: NewPurchase): Promise<boolean> {
  const { id, servers, isActive = true } = purchase;
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return inTransaction(pool, async (tx) => {
    if (!(await insertPurchase(tx, { id, token, isActive }))) return false;

    for (const [position, { serverId, externalId }] of servers.entries()) {
      await tx.query(
        `INSERT INTO purchase_servers (purchase_id, server_id, position, external_id)
         VALUES (?, ?, ?, ?)`,
        [id, serverId, position, externalId],
      );
    }
    return true;
  });
}

async function insertPurchase(
  tx: PoolConnection,
  { id, token, isActive }: { id: string; token: string; isActive: boolean },
): Promise<boolean> {
  try {
    await tx.query(
      `INSERT INTO purchases (id, token, is_active, created_at)
       VALUES (?, ?, ?, UTC_TIMESTAMP(3))`,
      [id, token, isActive],
    );
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
