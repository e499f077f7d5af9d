import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { notFound } from '@kopeck/runtime/http-app';
import type { Background } from './background.ts';

const UPDATE_HOURS = 12;
const TOKEN = /^[A-Za-z0-9_-]{16,64}$/;

export interface PageDeps {
  readonly pool: Pool;
  readonly background: Background;
  /** Links that are older are read anew, for the next time; null: never. */
  readonly staleMs: number | null;
  readonly now: () => Date;
}

/**
 * GET /sub/{token}: the links that are kept, as clients expect them: Base64 of lines, or lines for
 * `?format=plain`. No panel is waited for, so that a dead one leaves no client without its links.
 */
export function subscriptionPage({ pool, background, staleMs, now }: PageDeps): RequestHandler {
  return async (request, response) => {
    const token = String(request.params['token']);
    const found = TOKEN.test(token) ? await findSubscription(pool, token) : null;
    if (found === null) return notFound(response);
    if (staleMs !== null && isStale(found, now().getTime(), staleMs)) background.refresh(found.id);

    const text = found.links.map((link) => `${link}\n`).join('');
    const isPlain = request.query['format'] === 'plain';
    const body = isPlain ? text : Buffer.from(text).toString('base64');
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    response.set({
      ETag: etag,
      'Cache-Control': 'private, no-cache',
      'Profile-Update-Interval': String(UPDATE_HOURS),
      'Subscription-Userinfo': found.usage,
    });
    // Not request.fresh, to which a Cache-Control of the client's is a reason to send it all again.
    const known = (request.get('if-none-match') ?? '').split(/\s*,\s*/);
    if (known.includes(etag)) return void response.status(304).end();
    response.type('text/plain').send(body);
  };
}

function isStale({ refreshedAt, endsAt }: Subscription, at: number, staleMs: number): boolean {
  if (endsAt !== null && endsAt.getTime() <= at) return false;
  return refreshedAt === null || at - refreshedAt.getTime() >= staleMs;
}

interface Subscription {
  readonly id: string;
  readonly refreshedAt: Date | null;
  readonly endsAt: Date | null;
  readonly links: readonly string[];
  readonly usage: string;
}

/** Null: unknown, or not active any more, which look the same from outside. */
async function findSubscription(pool: Pool, token: string): Promise<Subscription | null> {
  const [[purchase]] = await pool.query<RowDataPacket[]>(
    'SELECT id, expires_at, refreshed_at FROM purchases WHERE token = ? AND is_active',
    [token],
  );
  if (purchase === undefined) return null;
  const id = String(purchase['id']);
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT c.link FROM purchase_configs c JOIN purchase_servers s USING (purchase_id, server_id)
      WHERE c.purchase_id = ? ORDER BY s.position, s.server_id, c.position`,
    [id],
  );
  const [[usage]] = await pool.query<RowDataPacket[]>(
    `SELECT COALESCE(SUM(used_bytes), 0) AS used, COALESCE(SUM(limit_bytes), 0) AS total,
            MIN(expires_at) AS ends
       FROM purchase_servers WHERE purchase_id = ?`,
    [id],
  );
  const ends: unknown = purchase['expires_at'] ?? usage?.['ends'];
  const expire = ends instanceof Date ? Math.floor(ends.getTime() / 1_000) : 0;
  const { used = '0', total = '0' } = (usage ?? {}) as { used?: string; total?: string };
  return {
    id,
    refreshedAt: purchase['refreshed_at'] as Date | null,
    endsAt: purchase['expires_at'] as Date | null,
    links: rows.map((row) => String(row['link'])),
    usage: `upload=0; download=${used}; total=${total}; expire=${expire}`,
  };
}
