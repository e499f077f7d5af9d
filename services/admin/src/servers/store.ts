import type { Pool, RowDataPacket } from 'mysql2/promise';
import type { Log } from '@kopeck/runtime/log';
import { seal, unseal } from './seal.ts';

export interface StoreDeps {
  readonly pool: Pool;
  /** What credentials are encrypted with: the first is current, the rest are still read. */
  readonly keys: readonly string[];
  readonly now: () => Date;
  readonly log: Log;
}

export interface StoredServer {
  readonly id: string;
  /** Its configuration as JSON. */
  readonly text: string;
}

export async function saveServer(
  { pool, keys, now }: StoreDeps,
  { id, text, kind }: StoredServer & { readonly kind: string },
): Promise<void> {
  await pool.query(
    `INSERT INTO panel_servers (id, kind, sealed, updated_at) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE kind = VALUES(kind), sealed = VALUES(sealed), updated_at = VALUES(updated_at)`,
    [id, kind, seal(text, id, keys), now()],
  );
}

/** What was encrypted with an old key is encrypted with the current one, so that the old one can go. */
export async function loadServers(deps: StoreDeps): Promise<readonly StoredServer[]> {
  const { pool, keys, log } = deps;
  if (keys.length === 0) return [];
  const [rows] = await pool.query<RowDataPacket[]>('SELECT id, sealed FROM panel_servers');
  const servers: StoredServer[] = [];
  for (const row of rows) {
    const [id, sealed] = [String(row['id']), row['sealed'] as Buffer];
    const text = unseal(sealed, id, keys);
    if (text === null) {
      log.error('the credentials of a server cannot be read with this key', { server: id });
      continue;
    }
    servers.push({ id, text });
    if (unseal(sealed, id, keys.slice(0, 1)) === null) await sealAnew(deps, { id, text }, sealed);
  }
  return servers;
}

/** Not over what somebody has saved meanwhile. */
async function sealAnew(
  { pool, keys, log }: StoreDeps,
  { id, text }: StoredServer,
  before: Buffer,
): Promise<void> {
  const update = 'UPDATE panel_servers SET sealed = ? WHERE id = ? AND sealed = ?';
  await pool.query(update, [seal(text, id, keys), id, before]);
  log.info('the credentials of a server are encrypted with the current key now', { server: id });
}
