import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { jsonBody } from '@kopeck/runtime/body';
import { HttpError, requestIdOf } from '@kopeck/runtime/http-app';
import type { PerformDeps } from './perform-refresh.ts';
import { PanelError, type Reissued } from './panels/port.ts';
import { endLease, findPurchase, saveReissued, takeLease } from './purchases.ts';

export const REISSUE_PATH = '/admin/reissue_configs/:id';

/**
 * POST /admin/reissue_configs/{purchase id} `{"serverId":"de1"}`: cuts off whoever holds the old links
 * of one server. Destructive, so it wants the server by name, and is no part of any refresh.
 */
export function reissueConfigs(deps: PerformDeps): RequestHandler[] {
  return [...jsonBody(), reissue(deps)];
}

function reissue(deps: PerformDeps): RequestHandler {
  const { pool, panels, deadlines, now, log } = deps;
  return async (request, response) => {
    const id = String(request.params['id']);
    if (!/^[1-9]\d{0,18}$/.test(id)) throw new HttpError(400, { error: 'invalid_purchase_id' });
    const { serverId } = (request.body ?? {}) as { serverId?: unknown };
    const purchase = await findPurchase(pool, id);
    if (purchase === null) throw new HttpError(404, { error: 'purchase_not_found' });
    const ref = purchase.servers.find((server) => server.serverId === serverId);
    if (ref === undefined) throw new HttpError(400, { error: 'malformed', field: 'serverId' });
    const panel = panels.get(ref.serverId);
    if (panel?.reissue === undefined) throw new HttpError(409, { error: 'reissue_not_supported' });

    const lease = randomUUID();
    if (!(await takeLease(pool, id, lease)))
      throw new HttpError(409, { error: 'refresh_in_progress' }, { 'Retry-After': '5' });
    try {
      const answer = await kindOrAnswer(
        panel.reissue(ref, AbortSignal.timeout(deadlines.purchaseMs)),
      );
      log.info('configs reissued', {
        purchaseId: id,
        server: ref.serverId,
        requestId: requestIdOf(response),
      });
      if (typeof answer === 'string') return void response.status(502).json({ error: answer });
      const version = await saveReissued(pool, { id, lease, at: now(), reissued: answer });
      response.json({ result: 'reissued', links: answer.links.length, version });
    } finally {
      await endLease(pool, id, lease);
    }
  };
}

async function kindOrAnswer(reissued: Promise<Reissued>): Promise<Reissued | string> {
  try {
    return await reissued;
  } catch (error) {
    if (error instanceof PanelError) return error.kind;
    throw error;
  }
}
