import type { Pool } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';
import type { PanelRef } from './panels/port.ts';
import { insertPurchase } from './purchases-api/store.ts';

export interface NewPurchase {
  /** A positive whole number. */
  readonly id: string;
  /** Where it lives; their order is the order of its links. */
  readonly servers: readonly PanelRef[];
  readonly isActive?: boolean;
}

/** Makes the purchase unless there is one of this id, which is then left as it is. True: made. */
export async function seedPurchase(pool: Pool, purchase: NewPurchase): Promise<boolean> {
  const made = await inTransaction(pool, (tx) =>
    insertPurchase(tx, { isActive: true, ...purchase }),
  );
  return made !== null;
}
