import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { makeEvent } from '@kopeck/core/make-event';
import type { Append } from '@kopeck/core/receive';
import { bearer } from '@kopeck/runtime/body';
import { requestIdOf } from '@kopeck/runtime/http-app';
import type { Log } from '@kopeck/runtime/log';
import { answerForRefresh, BAD_ID, linksOf, unauthorised, type AdminAnswer } from './answers.ts';
import { refreshPurchase, type Refresh, type RefreshDeps } from './refresh.ts';

export interface UpdateConfigsDeps extends RefreshDeps {
  readonly append: Append;
  readonly log: Log;
  readonly apiKeys: readonly string[];
}

/** No parameter of Express, which would fail on a broken escape before anybody asked for the key. */
export const UPDATE_CONFIGS_PATH = /^\/admin\/update_configs\/[^/]+$/;

const PURCHASE_ID = /\/([1-9]\d{0,18})$/;

/** POST /admin/update_configs/{purchase id} */
export function updateConfigs(deps: UpdateConfigsDeps): RequestHandler[] {
  const { apiKeys, append, now, log } = deps;
  return [
    bearer(apiKeys, (response) => {
      const hasKey = /^Bearer ./i.test(response.req.get('authorization') ?? '');
      send(response, unauthorised(hasKey));
    }),
    async (request, response) => {
      const purchaseId = purchaseIdOf(request);
      if (purchaseId === null) return send(response, BAD_ID);

      const operationId = randomUUID();
      const outcome = await refreshPurchase(deps, purchaseId, operationId);
      const { result } = outcome;
      log.info('configs refreshed', { purchaseId, result, requestId: requestIdOf(response) });
      if (outcome.result !== 'refused') {
        await append(refreshedEvent(outcome, { purchaseId, operationId, at: now() }));
      }
      send(response, answerForRefresh(outcome));
    },
  ];
}

function purchaseIdOf({ path }: Request): string | null {
  return PURCHASE_ID.exec(path)?.[1] ?? null;
}

/** JSON, unless plain text is what the caller asks for. */
function send(response: Response, { status, headers = {}, body, text }: AdminAnswer): void {
  response.status(status).set('Cache-Control', 'no-store').set(headers);
  if (response.req.accepts(['json', 'text/plain']) === 'text/plain') {
    response.type('text/plain').send(text);
  } else {
    response.json(body);
  }
}

interface Operation {
  readonly purchaseId: string;
  readonly operationId: string;
  readonly at: Date;
}

function refreshedEvent(refresh: Refresh, { purchaseId, operationId, at }: Operation) {
  return makeEvent({
    source: 'admin',
    type: 'config.refreshed',
    identity: [purchaseId, operationId],
    subject: `purchase:${purchaseId}`,
    time: at,
    receivedAt: at,
    network: 'main',
    money: null,
    reference: null,
    data: { purchaseId, operationId, result: refresh.result, links: linksOf(refresh) },
    evidence: '',
  });
}
