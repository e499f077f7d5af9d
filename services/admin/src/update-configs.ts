import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { requestIdOf } from '@kopeck/runtime/http-app';
import { answerForRefresh, BAD_ID } from './answers.ts';
import { send } from './authorise.ts';
import { performRefresh, type PerformDeps } from './perform-refresh.ts';

/** No parameter of Express, which would fail on a broken escape before anybody asked for the key. */
export const UPDATE_CONFIGS_PATH = /^\/admin\/update_configs\/[^/]+$/;

const PURCHASE_ID = /\/([1-9]\d{0,18})$/;

/** POST /admin/update_configs/{purchase id}, once the key has been shown. */
export function updateConfigs(deps: PerformDeps): RequestHandler {
  return async (request, response) => {
    const purchaseId = purchaseIdOf(request);
    if (purchaseId === null) return send(response, BAD_ID);
    const operation = { purchaseId, operationId: randomUUID(), requestId: requestIdOf(response) };
    send(response, answerForRefresh(await performRefresh(deps, operation)));
  };
}

function purchaseIdOf({ path }: Request): string | null {
  return PURCHASE_ID.exec(path)?.[1] ?? null;
}
