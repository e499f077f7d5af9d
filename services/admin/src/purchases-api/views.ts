import type { Pool, RowDataPacket } from 'mysql2/promise';

/** As the API tells it: the path of the subscription holds its secret. */
export interface PurchaseView {
  readonly id: string;
  readonly user: string | null;
  /** Null: an operator has made it. */
  readonly plan: string | null;
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

export interface Page {
  readonly after: string;
  readonly limit: number;
  /** Null: whoever has bought. */
  readonly user: string | null;
}

/** In the order of their ids, those after a given one. */
export function listPurchaseViews(
  pool: Pool,
  { after, limit, user }: Page,
): Promise<readonly PurchaseView[]> {
  const whose = user === null ? '' : 'p.user_id = ? AND';
  const values = user === null ? [after, limit] : [user, after, limit];
  return purchaseViews(pool, `${whose} p.id > ? ORDER BY p.id LIMIT ?`, values);
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
    plan: row['plan'] as string | null,
    isActive: row['is_active'] === 1,
    expiresAt: isoOf(row['expires_at']),
    refreshedAt: isoOf(row['refreshed_at']),
    version: Number(row['config_version']),
    subscription: `/sub/${String(row['token'])}`,
    servers: servers.map((server) => ({
      serverId: String(server['server_id']),
      externalId: String(server['external_id']),
      subscriptionId: server['subscription_id'] as string | null,
      subscriptionUrl: server['subscription_url'] as string | null,
      links: Number(server['links']),
      fetchedAt: isoOf(server['fetched_at']),
    })),
  };
}

function isoOf(value: unknown): string | null {
  return value instanceof Date ? value.toISOString() : null;
}
