import type { RequestHandler, Router } from 'express';
import { jsonBody } from '@kopeck/runtime/body';
import { HttpError, methods } from '@kopeck/runtime/http-app';
import { panelConfig, SERVER_ID, type PanelConfig } from '../panels/open-panels.ts';
import { placeOf } from '../purchases-api/schema.ts';
import type { Registry } from './registry.ts';

const PATH = '/admin/servers';

/** `isSealable`: there is a key to encrypt credentials with. Without one, none is ever taken. */
export function addServerRoutes(
  router: Router,
  guard: RequestHandler,
  registry: Registry,
  isSealable: boolean,
): void {
  const needsKey: RequestHandler = (_request, response, next) => {
    if (isSealable) return next();
    response.status(503).json({ error: 'not_configured', key: 'ADMIN_ENCRYPTION_KEY' });
  };
  const post = [guard, needsKey, ...jsonBody(), put(registry)];
  router.all(PATH, methods({ GET: [guard, list(registry)], POST: post }));
}

/** No address and no credentials: ids and kinds. */
function list({ list: servers }: Registry): RequestHandler {
  return (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ servers: servers() });
  };
}

function put(registry: Registry): RequestHandler {
  return async (request, response) => {
    const { id, ...given } = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof id !== 'string' || !SERVER_ID.test(id))
      throw new HttpError(400, { error: 'malformed', field: 'id' });
    const { value, error } = panelConfig.validate(given);
    if (error !== undefined)
      throw new HttpError(400, { error: 'malformed', field: placeOf(error) });
    if (registry.isConfigured(id)) throw new HttpError(409, { error: 'configured_elsewhere' });
    const config: PanelConfig = value;
    const isNew = await registry.put(id, config);
    response.status(isNew ? 201 : 200).json({ id, kind: config.kind, source: 'database' });
  };
}
